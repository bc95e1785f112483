import type { ModelRequest } from '../model/model-call.ts';
import type { ModelRoute } from '../model/model-router.ts';
import type { ModelWish } from '../routing/wish.ts';
import type { CachedAnswer } from './answer-cache.ts';
import { CachedCall } from './cached-call.ts';
import { digestValue } from './digest-request.ts';
import type { RunPlan } from './plan-run.ts';
import type { RunParts } from './run-parts.ts';

/** What is asked, as a key of the cache; undefined for a run whose answer is neither taken from it nor kept. */
export async function cacheKeyOf(
  { engine, router }: Pick<RunParts, 'engine' | 'router'>,
  workspace: string,
  { session, cache = 'use' }: { readonly session?: string; readonly cache?: 'use' | 'refresh' | 'off' },
  { version, messages, parameters, tools, toolChoice, toolMessages, attachments }: RunPlan,
  wish: ModelWish | null,
): Promise<string | undefined> {
  if (version.cache === null || cache === 'off' || session !== undefined || attachments.length > 0) return undefined;
  await engine.payloads.ready(workspace);
  const asked = {
    version: version.digest,
    models: wish ?? router.defaultName(workspace),
    messages,
    parameters,
    tools,
    toolChoice,
    toolMessages,
  };
  return digestValue(engine.payloads.hmacKey(workspace, 'answer cache'), asked).toString('base64url');
}

/** A route that leads to an answer that was given before. */
export function routeToAnswer(answer: CachedAnswer): ModelRoute {
  const port = { call: (request: ModelRequest) => new CachedCall(answer, request) };
  return { name: answer.model, model: answer.model, port, candidates: [], repeatUncertain: false };
}
