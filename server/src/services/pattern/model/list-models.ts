import type { Model } from '@damask/contracts/model.ts';
import { priceAt } from '../routing/price.ts';
import { chatModels, lists, type ProviderSource } from './provider-source.ts';

const mostListed = 1_000;

/** What runs can name: what was entered or is known of each provider, and what the providers say themselves. */
export function listModels(sources: readonly ProviderSource[], chosen: string | null, now: number): Model[] {
  const models = new Map<string, Model>();
  for (const source of sources) {
    const told = source.offered === null ? [] : chatModels(source.offered);
    for (const id of [...source.models.map((offer) => offer.id), ...told]) {
      const name = `${source.name}/${id}`;
      if (models.size < mostListed && !models.has(name)) {
        models.set(name, describeModel(source, id, name === chosen, now));
      }
    }
  }
  if (chosen !== null && !models.has(chosen)) {
    const provider = chosen.slice(0, chosen.indexOf('/'));
    const source = sources.find(({ name }) => name === provider);
    const id = chosen.slice(provider.length + 1);
    models.set(chosen, source ? describeModel(source, id, true, now) : absentModel(chosen, provider));
  }
  const all = [...models.values()];
  // Whatever is cut off, the default is told.
  return [...all.filter((model) => model.default), ...all.filter((model) => !model.default)].slice(0, mostListed);
}

function describeModel(source: ProviderSource, id: string, isDefault: boolean, now: number): Model {
  const { context_window, max_output, capabilities, prices, source: price_source, asOf } = source.facts(id);
  const price = priceAt(prices, now, 0);
  const absent = !source.has(id) || (source.offered !== null && !lists(source.offered, id));
  const why = absent
    ? `${source.name} does not list this model. See what it has with \`damask models\`.`
    : source.unready();
  return {
    name: `${source.name}/${id}`,
    provider: source.name,
    default: isDefault,
    ready: why === null,
    note: why ?? source.note,
    context_window,
    max_output,
    input_price: price?.input ?? null,
    output_price: price?.output ?? null,
    cached_input_price: price?.cached_input ?? null,
    cache_write_price: price?.cache_write ?? null,
    price_source: price === null ? null : price_source,
    price_as_of: price === null ? null : asOf,
    capabilities: capabilities === null ? null : [...capabilities],
  };
}

function absentModel(name: string, provider: string): Model {
  return {
    name,
    provider,
    default: true,
    ready: false,
    note: `There is no provider ${provider}. Correct DAMASK_MODEL, or add it with \`damask providers add ${provider}\`.`,
    context_window: null,
    max_output: null,
    input_price: null,
    output_price: null,
    cached_input_price: null,
    cache_write_price: null,
    price_source: null,
    price_as_of: null,
    capabilities: null,
  };
}
