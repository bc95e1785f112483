import type { modelOperations, Provider, ProviderLimits } from '@damask/contracts/model.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { bumpTopic } from '#platform/topic.ts';
import { noLimits } from '../routing/gate.ts';
import { askOffered } from './ask-offered.ts';
import { changeProviders, type ModelParts, providersTopic, toProvider } from './model-parts.ts';
import { providerKeyPlace } from './provider-sources.ts';
import { localProvider } from './source-options.ts';
import { countProviders, type ProviderRow, readProvider, saveProvider } from './store.ts';

/** A provider that does not answer must not hold up its being entered. */
const askWithin = 3_000;
/** All of them are in the memory of every process. */
const mostProviders = 100;

/** Adds a provider, or changes what the input names of it. What it has is asked of it, and its silence is no error. */
export async function putProvider(
  parts: ModelParts,
  context: CallContext,
  input: InputOf<(typeof modelOperations)['putProvider']>,
): Promise<Provider> {
  const { database, egress, vault, trail } = parts;
  const { provider: name, api_key, models, limits, fallbacks, api_version } = input;
  const { workspace } = context;
  if (name === localProvider) {
    throw new AppError('policy_refused', 'The name local belongs to the model on this machine. Choose another.', {
      pointer: '/provider',
    });
  }
  const url = readBaseUrl(input.base_url);
  egress.check(url, '/base_url');
  checkKey(api_key);
  await vault.ready(workspace);
  const scope = { role: 'pattern', workspace };
  const former = await database.transaction(scope, (transaction) => readProvider(transaction, name));
  refuseMovedKey(former, url, api_key);
  const protocol = input.protocol ?? former?.protocol ?? 'openai';
  const sealed =
    api_key === undefined ? null : await vault.seal(workspace, providerKeyPlace(name), Buffer.from(api_key));
  const key = api_key ?? (former?.api_key ? await openKey(parts, former) : null);
  const offered = await askOffered(egress, { protocol, baseUrl: url, apiKey: key, trusted: false }, askWithin).catch(
    () => null,
  );
  return changeProviders(parts, workspace, async (transaction) => {
    const before = await readProvider(transaction, name);
    // Again: somebody may have changed it while the provider was asked.
    refuseMovedKey(before, url, api_key);
    if (!before && (await countProviders(transaction, mostProviders)) >= mostProviders) {
      throw new AppError('policy_refused', `A workspace has ${mostProviders} providers at most. Remove one first.`, {
        pointer: '/provider',
      });
    }
    await trail.look(transaction, `provider/${name}`);
    const saved = await saveProvider(transaction, {
      workspace,
      name,
      protocol,
      base_url: url,
      api_version: api_version ?? before?.api_version ?? null,
      api_key: sealed ?? before?.api_key ?? null,
      models: models ?? before?.models ?? [],
      offered: offered ?? (before?.base_url === url ? before.offered : null),
      limits: mergeLimits(before?.limits, limits),
      fallbacks: fallbacks ?? before?.fallbacks ?? [],
    });
    await trail.leave(transaction, context, {
      action: 'putProvider',
      subject: `provider/${name}`,
      details: { base_url: url, protocol, key_changed: sealed !== null },
      event: 'pattern.provider-put',
      data: { provider: name },
    });
    await bumpTopic(transaction, providersTopic);
    return toProvider(saved);
  });
}

async function openKey({ vault }: ModelParts, row: ProviderRow): Promise<string> {
  return (await vault.open(row.workspace, providerKeyPlace(row.name), row.api_key as Buffer)).toString('utf8');
}

function mergeLimits(before: Partial<ProviderLimits> | undefined, given: Partial<ProviderLimits> | undefined) {
  return { ...noLimits, ...before, ...given };
}

function readBaseUrl(text: string): string {
  if (!URL.canParse(text)) {
    throw new AppError('invalid_request', 'This is not an address. Give one such as https://api.example.com/v1.', {
      pointer: '/base_url',
    });
  }
  const url = new URL(text);
  if (url.search !== '' || url.hash !== '') {
    throw new AppError('invalid_request', 'A base address has no ? and no #. Leave them out.', {
      pointer: '/base_url',
    });
  }
  return url.href.replace(/\/+$/, '');
}

// It travels in a header, where a line break would begin another one.
function checkKey(key: string | undefined) {
  if (key === undefined || /^[\x21-\x7e]+$/.test(key)) return;
  throw new AppError('invalid_request', 'A key has no spaces, line breaks or letters beyond ASCII. Copy it again.', {
    pointer: '/api_key',
  });
}

// A stored key must never be sent to a new address by someone who does not know it.
function refuseMovedKey(before: ProviderRow | undefined, url: string, apiKey: string | undefined) {
  if (!before?.api_key || apiKey !== undefined || before.base_url === url) return;
  throw new AppError('secret_required', 'The key belongs to the old address. Enter it again to change the address.', {
    pointer: '/api_key',
  });
}
