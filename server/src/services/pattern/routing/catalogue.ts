import { readFileSync } from 'node:fs';
import type { Capability, ProviderProtocol } from '@damask/contracts/model.ts';
import type { ModelFacts } from './model-facts.ts';
import type { DatedPrice, Price } from './price.ts';

/** The file `catalogue.json`: prices are millionths of a US dollar for a million tokens; what is missing is not known. */
export interface CatalogueFile {
  readonly as_of: string;
  readonly vendors: Readonly<Record<string, CatalogueVendor>>;
}

export interface CatalogueVendor {
  /** The vendor's own page, and the day on which its numbers were read there. */
  readonly source: string;
  readonly read: string;
  /** Hosts whose models these are. A suffix where it begins with a dot. */
  readonly hosts: readonly string[];
  /** The only protocol whose providers these are, where a host does not tell. */
  readonly protocol?: ProviderProtocol;
  readonly models: Readonly<Record<string, CatalogueModel>>;
}

export interface CatalogueModel {
  readonly aliases?: readonly string[];
  readonly context_window?: number;
  readonly max_output?: number;
  readonly capabilities?: readonly Capability[];
  readonly prices?: readonly CataloguePrice[];
}

interface CataloguePrice extends PriceFields {
  /** A day, UTC. */
  readonly from: string;
  readonly above?: PriceFields & { readonly tokens: number };
}

interface PriceFields {
  readonly input: number;
  readonly output: number;
  readonly cached_input?: number;
  readonly cache_write?: number;
}

/** What the vendors tell of their models. */
export interface Catalogue {
  readonly asOf: string;
  find(
    provider: { readonly protocol: ProviderProtocol; readonly baseUrl: string },
    model: string,
  ): ModelFacts | undefined;
}

/** Reads the catalogue of this release. */
export function readCatalogue(): Catalogue {
  const text = readFileSync(new URL('./catalogue.json', import.meta.url), 'utf8');
  return createCatalogue(JSON.parse(text) as CatalogueFile);
}

export function createCatalogue(file: CatalogueFile): Catalogue {
  const vendors = Object.values(file.vendors).map((vendor) => ({ ...vendor, facts: toFacts(vendor) }));
  return {
    asOf: file.as_of,
    find({ protocol, baseUrl }, model) {
      const host = new URL(baseUrl).hostname;
      const vendor = vendors.find((one) => one.hosts.some((known) => isHost(host, known)) || one.protocol === protocol);
      if (vendor === undefined) return undefined;
      // Ollama's tags name sizes and quantisations of the same model.
      const bare = vendor.protocol === 'ollama' ? (model.split(':')[0] as string) : withoutDate(model);
      return vendor.facts.get(model) ?? vendor.facts.get(bare);
    },
  };
}

function isHost(host: string, known: string): boolean {
  return known.startsWith('.') ? host.endsWith(known) : host === known;
}

/** `gpt-5-2025-08-07` and `claude-haiku-4-5-20251001` are their models on a day. */
function withoutDate(model: string): string {
  return model.replace(/-(\d{8}|\d{4}-\d{2}-\d{2})$/, '');
}

function toFacts({ models, read }: CatalogueVendor): Map<string, ModelFacts> {
  const facts = new Map<string, ModelFacts>();
  for (const [id, model] of Object.entries(models)) {
    const prices = (model.prices ?? []).map(toPrice).sort((a, b) => a.from - b.from);
    const one: ModelFacts = {
      context_window: model.context_window ?? null,
      max_output: model.max_output ?? null,
      capabilities: model.capabilities ?? null,
      prices,
      source: prices.length > 0 ? 'catalogue' : null,
      asOf: prices.length > 0 ? read : null,
    };
    for (const name of [id, ...(model.aliases ?? [])]) facts.set(name, one);
  }
  return facts;
}

function toPrice({ from, above, ...fields }: CataloguePrice): DatedPrice {
  return {
    from: Date.parse(`${from}T00:00:00Z`),
    ...fill(fields),
    ...(above === undefined ? {} : { above: { tokens: above.tokens, ...fill(above) } }),
  };
}

function fill({ input, output, cached_input, cache_write }: PriceFields): Price {
  return { input, output, cached_input: cached_input ?? null, cache_write: cache_write ?? null };
}
