import type { Deprecation } from '@damask/contracts/pattern-settings.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Vault } from '#platform/vault.ts';
import { isChain, pinChain } from '../chain/pin-chain.ts';
import { listModels } from '../chain/pinned-steps.ts';
import { refuseForChain } from '../chain/refuse-for-chain.ts';
import { higherClass } from '../privacy/data-class.ts';
import type { Enqueued } from '../queue/task-record.ts';
import { toWish } from '../routing/wish.ts';
import { toAcceptedRow } from './begin-run.ts';
import { fitPlan } from './fit-plan.ts';
import { planRun, type RunPlan } from './plan-run.ts';
import { type QueuedRequest, sealRequest, toAsked } from './queued-request.ts';
import { nobody } from './record.ts';
import { requirePrices } from './require-prices.ts';
import type { RunParts } from './run-parts.ts';
import { type StartRequest, takeSubject, timeoutOf } from './start-request.ts';

export type QueueParts = Pick<
  RunParts,
  'library' | 'contexts' | 'clock' | 'router' | 'engine' | 'pdfTexts' | 'defaultTimeout' | 'limits'
> & { readonly vault: Vault };

export interface QueueOptions {
  readonly rerunOf?: string;
  readonly batch?: string;
  /** The caller waits for its end. */
  readonly attended?: true;
  /** -10 to 10 within the lane; 0 by default. */
  readonly priority?: number;
}

const furthestStart = 366 * 86_400_000;

/** A run that may be accepted, and what its caller should be told of its pattern. */
export interface PlannedQueuedRun {
  readonly enqueued: Enqueued;
  readonly deprecated: Deprecation | null;
}

/** Finds out all that can be wrong with a request, pins what it names and seals it. Errors: those of `createRun`. */
export async function planQueuedRun(
  parts: QueueParts,
  context: CallContext,
  asked: StartRequest,
  options: QueueOptions = {},
): Promise<PlannedQueuedRun> {
  const sent = takeSubject(asked);
  refuseUnfit(sent, parts.clock.now());
  const plan = await planRun(parts, context.workspace, sent);
  const input: StartRequest = plan.given === sent ? sent : { ...sent, ...plan.given };
  return { enqueued: await sealPlan(parts, context, input, plan, options), deprecated: plan.deprecated };
}

/** Pins a plan and seals it, as work for the queue. */
export async function sealPlan(
  parts: QueueParts,
  context: CallContext,
  input: StartRequest,
  plan: RunPlan,
  { rerunOf, batch, attended, priority = 0 }: QueueOptions = {},
): Promise<Enqueued> {
  const { workspace } = context;
  const { pattern, patternId: id, version } = plan;
  const chain = isChain(version) ? await pinChain(parts.library, workspace, { id, name: pattern }, version) : undefined;
  if (chain) refuseForChain(input);
  for (const name of chain ? listModels(chain) : []) parts.router.requireOffer(workspace, name);
  const wish = toWish(input.model, version);
  const models = chain ? [] : parts.router.order(workspace, wish);
  if (!chain) requirePrices({ ...parts.limits, router: parts.router }, context, plan, wish);
  const first = models[0] ?? '';
  if (!chain) await fitPlan(parts, workspace, first, plan);
  await parts.engine.payloads.ready(workspace);
  const { subject } = input;
  const dataClass = higherClass(plan.dataClass, chain?.data_class);
  const accepted = toAcceptedRow(parts.engine, context, {
    plan: { ...plan, dataClass },
    route: { name: first },
    strategy: input.strategy ?? null,
    background: input.context ?? null,
    session: null,
    metadata: input.metadata ?? {},
    ...((rerunOf ?? subject) === undefined ? {} : { marks: { subject, rerunOf, cachedFrom: undefined } }),
  });
  const row = { ...accepted, process: nobody, ...(batch === undefined ? {} : { batch }) };
  const queued: QueuedRequest = {
    request: toAsked(input),
    pin: { pattern, id, version: version.number },
    texts: plan.texts,
    models,
    timeoutMs: timeoutOf(parts, plan, input.timeout_ms),
    ...(chain ? { chain } : {}),
    ...(plan.redact ? { redact: plan.redact } : {}),
    ...(attended ? { attended } : {}),
  };
  const task = {
    lane: input.priority ?? 'interactive',
    priority,
    provider: first.slice(0, Math.max(0, first.indexOf('/'))),
    model: first,
    batch: batch ?? null,
    ready_at: inUtc(input.start_at),
    deadline: inUtc(input.deadline),
    request: await sealRequest(parts.vault, row, queued),
  };
  return { row, task, owner: null };
}

/** As the database reads it without a second thought. */
const inUtc = (time: string | undefined) => (time === undefined ? null : new Date(time).toISOString());

/** What makes no sense for a run that nobody waits for, or whose time is over before it begins. */
export function refuseUnfit(
  input: Pick<StartRequest, 'session' | 'stream' | 'on_disconnect' | 'start_at' | 'deadline'>,
  now: number,
): void {
  if (input.session !== undefined) {
    throw refuse('/session', 'A session goes on while its caller waits. Leave the session out, or the mode.');
  }
  if (input.stream === true) {
    throw refuse('/stream', 'Nothing is streamed here. Follow the run at /v1/runs/{run}/events once it is accepted.');
  }
  if (input.on_disconnect === 'cancel') {
    throw refuse('/on_disconnect', 'Nobody waits for an asynchronous run, so it goes on. Leave on_disconnect out.');
  }
  const start = readTime('/start_at', input.start_at);
  const deadline = readTime('/deadline', input.deadline);
  if (start !== undefined && start > now + furthestStart) {
    throw refuse('/start_at', 'This is more than a year ahead. Name an earlier time.');
  }
  if (deadline === undefined) return;
  if (deadline <= now) throw refuse('/deadline', 'This time is over. Name a later one, or none.');
  if (start !== undefined && deadline <= start) {
    throw refuse('/deadline', 'It would have to end before it may begin. Name a deadline after start_at.');
  }
}

function readTime(pointer: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw refuse(pointer, 'This is no time. Write it like 2026-11-23T18:00:00Z.');
  return time;
}

function refuse(pointer: string, message: string): AppError {
  return new AppError('invalid_request', message, { pointer });
}
