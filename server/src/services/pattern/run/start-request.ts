import type { InputOf } from '@damask/contracts/operation.ts';
import type { runOperations } from '@damask/contracts/run-operations.ts';
import { AppError } from '#platform/app-error.ts';
import type { RunClaim } from './engine.ts';
import type { AskedOptions, Payload } from './payloads.ts';
import type { RunPlan } from './plan-run.ts';
import type { RunParts } from './run-parts.ts';

export type StartRequest = Omit<InputOf<(typeof runOperations)['createRun']>, 'idempotency_key'>;

/** What a run has beyond its request. */
export interface StartOptions {
  readonly claim?: RunClaim | undefined;
  readonly rerunOf?: string | undefined;
}

const longestSubject = 200;

/** `metadata.subject` is taken for `subject`: metadata is shown in lists, and nobody's name belongs there. Errors: `invalid_request`. */
export function takeSubject<Request extends Pick<StartRequest, 'metadata' | 'subject'>>(request: Request): Request {
  if (request.metadata?.subject === undefined) return request;
  const { subject, ...metadata } = request.metadata;
  if (subject === '' || subject.length > longestSubject) {
    throw new AppError('invalid_request', `A subject has 1 to ${longestSubject} characters.`, {
      pointer: '/metadata/subject',
    });
  }
  if (request.subject !== undefined && request.subject !== subject) {
    throw new AppError('invalid_request', 'subject and metadata.subject name two people. Send one of them.', {
      pointer: '/metadata/subject',
    });
  }
  return { ...request, metadata, subject };
}

/** What the request asks for, or the platform's own; never more than the pattern allows. Milliseconds. */
export function timeoutOf(
  { defaultTimeout }: Pick<RunParts, 'defaultTimeout'>,
  { version }: Pick<RunPlan, 'version'>,
  asked: number | undefined,
): number {
  return Math.min(asked ?? defaultTimeout, version.limits.timeout_ms ?? Number.POSITIVE_INFINITY);
}

type KeptFields = Pick<
  StartRequest,
  'subject' | 'model' | 'parameters' | 'language' | 'tools' | 'tool_choice' | 'tool_turns'
>;

/** What is kept of a request beside its texts; nothing where it left all to the version. */
export function keptOf(input: KeptFields): Pick<Payload, 'subject' | 'asked'> {
  return input.subject === undefined && !asksForMore(input) ? {} : toKept(input);
}

/** Whether the request takes anything out of the version's hands. */
export function asksForMore({ model, parameters, language, tools, tool_choice, tool_turns }: KeptFields): boolean {
  return (model ?? parameters ?? language ?? tools ?? tool_choice ?? tool_turns) !== undefined;
}

/** What is undefined is left out: JSON and columns then have no place for it. */
export function toKept({ subject, model, parameters, language, tools, tool_choice, tool_turns }: KeptFields) {
  const asked: AskedOptions = {};
  if (model !== undefined) asked.model = model;
  if (parameters !== undefined) asked.parameters = parameters;
  if (language !== undefined) asked.language = language;
  if (tools !== undefined) asked.tools = tools;
  if (tool_choice !== undefined) asked.tool_choice = tool_choice;
  if (tool_turns !== undefined) asked.tool_turns = tool_turns;
  return subject === undefined ? { asked } : { asked, subject };
}
