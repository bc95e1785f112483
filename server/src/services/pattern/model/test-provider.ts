import type { modelOperations, ProviderTest } from '@damask/contracts/model.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { bumpTopic } from '#platform/topic.ts';
import { costOf } from '../routing/cost.ts';
import { type AskedProvider, askOffered } from './ask-offered.ts';
import type { ModelPort, ModelResult } from './model-call.ts';
import { changeProviders, type ModelParts, providersTopic } from './model-parts.ts';
import { chatModels, type ProviderSource } from './provider-source.ts';
import { providerKeyPlace } from './provider-sources.ts';
import { listProviders, saveOffered } from './store.ts';

const answerWithin = 30_000;
const askWithin = 5_000;
/** Enough for a word; models that think first answer nothing with it, which is an answer too. */
const answerTokens = 16;

/**
 * Asks a provider what it has and calls one model with a few tokens. What fails is told, not thrown; one that works is
 * called again at once where the breaker had shut it out. Leaves an audit row: it costs money.
 */
export async function testProvider(
  parts: ModelParts,
  context: CallContext,
  { provider: name, model: asked }: InputOf<(typeof modelOperations)['testProvider']>,
): Promise<ProviderTest> {
  const { sources, gates, clock, trail, egress } = parts;
  const source = sources.find(context.workspace, name);
  if (!source) throw notFound();
  const address = await addressOf(parts, context.workspace, source);
  const offered = address && (await askOffered(egress, address, askWithin).catch(() => null));
  const model = asked ?? source.defaultModel ?? (offered ? chatModels(offered)[0] : undefined);
  if (model === undefined) {
    throw new AppError('no_model', `${name} does not say which models it has. Name one with --model.`, {
      pointer: '/model',
    });
  }
  const started = clock.monotonic();
  const result = await callOnce(source, model, context);
  const latency = Math.round((clock.monotonic() - started) * 10) / 10;
  if (result.ok) gates.of(context.workspace, name).reopen();
  await changeProviders(parts, context.workspace, async (transaction) => {
    const kept =
      address !== null && offered !== null && source.origin === 'workspace'
        ? await saveOffered(transaction, { name, base_url: address.baseUrl }, offered)
        : false;
    await trail.leave(transaction, context, {
      action: 'testProvider',
      subject: `provider/${name}`,
      details: { model, ok: result.ok },
      event: 'pattern.provider-tested',
      data: { provider: name, ok: result.ok },
    });
    if (kept) await bumpTopic(transaction, providersTopic);
  });
  const { input_tokens, output_tokens } = result.usage;
  return {
    provider: name,
    ok: result.ok,
    model: `${name}/${model}`,
    latency_ms: result.ok ? latency : null,
    usage: { input_tokens, output_tokens },
    cost_micros: costOf(result.usage, source.facts(model).prices, clock.now()),
    offered: offered?.length ?? null,
    error: result.ok ? null : { code: result.code, detail: result.detail, provider_status: result.status },
  };
}

async function callOnce(source: ProviderSource, model: string, context: CallContext): Promise<ModelResult> {
  let port: ModelPort;
  try {
    port = source.port() ?? (await source.open());
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { ok: false, usage: unknown, code: error.code, detail: error.message, status: null, firstOutputMs: null };
  }
  const call = port.call({
    model,
    messages: [{ role: 'user', content: 'Answer with the word ok.' }],
    parameters: { max_tokens: answerTokens },
    stream: false,
    timeoutMs: answerWithin,
    onText: () => true,
  });
  const leave = () => call.abort('run_cancelled', 'The client left.');
  context.signal.addEventListener('abort', leave, { once: true });
  try {
    return await call.done;
  } finally {
    context.signal.removeEventListener('abort', leave);
  }
}

const unknown = { input_tokens: null, output_tokens: null, cached_input_tokens: null, reasoning_tokens: null };

/** Where it is asked for its models; null for the model of this machine. */
async function addressOf(
  { database, environment, vault }: ModelParts,
  workspace: string,
  { name, origin, protocol }: ProviderSource,
): Promise<AskedProvider | null> {
  if (origin === 'local') return null;
  if (origin === 'environment') {
    const given = environment().find((one) => one.name === name);
    return given ? { protocol, baseUrl: given.baseUrl, apiKey: given.apiKey, trusted: true } : null;
  }
  const rows = await database.transaction({ role: 'pattern', workspace }, listProviders);
  const row = rows.find((one) => one.name === name);
  if (!row) throw notFound();
  const key = row.api_key && (await vault.open(workspace, providerKeyPlace(name), row.api_key)).toString('utf8');
  return { protocol, baseUrl: row.base_url, apiKey: key, trusted: false };
}
