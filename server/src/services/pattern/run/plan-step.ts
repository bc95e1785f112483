import { AppError } from '#platform/app-error.ts';
import { readAttachments } from '../conversation/read-attachments.ts';
import type { Claim, StepCall } from '../engine/ports.ts';
import { mergeRedaction } from '../guard/merge-redaction.ts';
import { redactRequest } from '../guard/redact-run.ts';
import { toWish } from '../routing/wish.ts';
import { cacheKeyOf, routeToAnswer } from './cached-run.ts';
import { fitPlan } from './fit-plan.ts';
import { planVersion, type RunPlan, type RunRequest } from './plan-run.ts';
import type { PreparedStep, RunAtHand } from './run-at-hand.ts';
import type { RunParts } from './run-parts.ts';
import { timeoutOf } from './start-request.ts';

export type StepParts = Pick<
  RunParts,
  'library' | 'router' | 'engine' | 'pdfTexts' | 'answers' | 'limits' | 'defaultTimeout'
>;

/** Plans a call of a queued run, with what was pinned when the run was accepted. Errors: as a run's own. */
export function planStep(parts: StepParts, run: RunAtHand, call: StepCall): Promise<PreparedStep> {
  return call.pattern === null ? planOwn(parts, run) : planPinned(parts, run, call, call.pattern);
}

/** The one call of a run that is no chain. */
async function planOwn(parts: StepParts, run: RunAtHand): Promise<PreparedStep> {
  const { request, pin, texts, models, timeoutMs, redact = null } = run.request;
  const { workspace } = run.claim;
  const version = await findVersion(parts, workspace, pin);
  const attachments = request.attachments ? await readAttachments(request.attachments) : [];
  const pattern = { id: pin.id, name: pin.pattern, deprecated: null };
  const plan = planVersion({ pattern, version, texts, attachments, redact }, { ...request, pattern: pin.pattern });
  const wished = toWish(request.model, version) ?? { fallbacks: [] };
  const wish = { ...wished, models: models.map((name) => ({ name, weight: 1 })), inOrder: true as const };
  // The key is that of a run that is waited for: both give their answers to each other.
  const key = version.cache
    ? await cacheKeyOf(parts, workspace, request, plan, toWish(request.model, version))
    : undefined;
  const cached = key && request.cache !== 'refresh' ? parts.answers.find(workspace, key) : undefined;
  // What is stored of this answer is not what the next one who asks should get.
  run.keep = key && version.cache && !cached && !redact ? { key, seconds: version.cache.ttl_seconds } : undefined;
  run.cachedFrom = cached?.run;
  const route = cached ? routeToAnswer(cached) : await parts.router.route(workspace, wish);
  return { plan: await fitPlan(parts, workspace, route.name, plan), route, timeoutMs };
}

/** A step of a chain: another pattern, whose texts come from the chain. */
async function planPinned(
  parts: StepParts,
  run: RunAtHand,
  { input, variables, model, parameters, timeoutMs }: StepCall,
  pin: NonNullable<StepCall['pattern']>,
): Promise<PreparedStep> {
  const { workspace } = run.claim;
  const version = await findVersion(parts, workspace, pin);
  const asked: RunRequest = {
    pattern: pin.pattern,
    version: pin.version,
    input,
    variables: { ...variables },
    ...(model === undefined ? {} : { model }),
    ...(parameters === undefined ? {} : { parameters }),
  };
  const pattern = { id: pin.id, name: pin.pattern, deprecated: null };
  const texts = { ...run.request.texts, strategy: undefined, context: undefined };
  const redact = mergeRedaction(run.request.redact, version.redact);
  const request = redact?.model ? await redactRequest(parts.engine.threads, redact, asked) : asked;
  const plan = planVersion({ pattern, version, texts, attachments: [], redact }, request);
  const route = await parts.router.route(workspace, toWish(model, version));
  return { plan, route, timeoutMs: timeoutMs ?? timeoutOf(parts, plan, undefined) };
}

async function findVersion(
  { library }: StepParts,
  workspace: Claim['workspace'],
  pin: Parameters<StepParts['library']['pinned']>[1],
): Promise<RunPlan['version']> {
  const version = await library.pinned(workspace, pin);
  if (version) return version;
  throw new AppError('not_found', `Version ${pin.version} of the pattern ${pin.pattern} is gone. Run another version.`);
}
