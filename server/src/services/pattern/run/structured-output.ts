import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { Attempt } from '@damask/contracts/run.ts';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import type { UserSchema, ValueProblem } from '#platform/user-schema/check-by-schema.ts';
import type { SchemaWorkers } from '#platform/user-schema/schema-workers.ts';
import type { ModelCall, ModelMessage, ModelRequest, ModelUsage } from '../model/model-call.ts';
import type { RoutedPort } from '../model/model-router.ts';
import type { RoutedResult } from '../routing/routed-call.ts';

/** The end of a call whose answer had to have a form. */
export type FormedResult = RoutedResult & {
  /** The answer as a value, when it has the form. */
  readonly data?: unknown;
};

export interface FormedCallOptions {
  readonly port: RoutedPort;
  readonly checks: SchemaWorkers;
  readonly clock: Clock;
}

/** Characters of an answer that can be checked. */
const longestAnswer = 1024 * 1024;

/**
 * Calls a model whose answer must be JSON, of a schema where there is one. An answer that is not is sent back once with what is wrong
 * with it, unless parts of it were passed on already. Ends `invalid_output` when that did not help.
 */
export function callInForm(options: FormedCallOptions, request: ModelRequest): FormedCall {
  return new FormedCall(options, request);
}

export class FormedCall implements ModelCall {
  readonly done: Promise<FormedResult>;
  readonly #options: FormedCallOptions;
  readonly #request: ModelRequest;
  readonly #started: number;
  #call: ReturnType<RoutedPort['call']>;
  #aborted: { readonly code: ErrorCode; readonly detail: string } | undefined;
  #text = '';

  constructor(options: FormedCallOptions, request: ModelRequest) {
    this.#options = options;
    this.#request = request;
    this.#started = options.clock.monotonic();
    this.#call = this.#begin(request.messages);
    this.done = this.#finish();
  }

  abort(code: ErrorCode, detail: string) {
    this.#aborted ??= { code, detail };
    this.#call.abort(code, detail);
  }

  resume() {
    this.#call.resume();
  }

  #begin(messages: readonly ModelMessage[]) {
    const { stream, onText, timeoutMs } = this.#request;
    this.#text = '';
    return this.#options.port.call({
      ...this.#request,
      messages,
      timeoutMs: Math.max(1, timeoutMs - (this.#options.clock.monotonic() - this.#started)),
      onText: (text) => {
        this.#text += text;
        return stream ? onText(text) : true;
      },
    });
  }

  async #finish(): Promise<FormedResult> {
    const first = await this.#call.done;
    if (!first.ok || first.tool_calls.length > 0) return this.#end(first);
    const judged = await this.#check();
    if ('data' in judged) return this.#end({ ...first, data: judged.data });
    // What went out cannot be taken back, and what a limit cut off would be cut off again.
    const passedOn = this.#request.stream && this.#text !== '';
    if (passedOn || first.stopReason === 'length' || this.#aborted || judged.code !== 'invalid_output') {
      return this.#end(refused(first, judged));
    }

    const before = spoiled(first.attempts);
    this.#call = this.#begin(repairMessages(this.#request.messages, this.#text, judged.problem));
    const second = joined(first, before, await this.#call.done);
    if (!second.ok || second.tool_calls.length > 0) return this.#end(second);
    const again = await this.#check();
    return this.#end('data' in again ? { ...second, data: again.data } : refused(second, again));
  }

  /** What was kept back goes out with the end; whoever takes it may still refuse it. */
  #end(result: FormedResult): FormedResult {
    if (!this.#request.stream && this.#text !== '') this.#request.onText(this.#text);
    return this.#aborted && result.ok ? failed(result, this.#aborted.code, this.#aborted.detail) : result;
  }

  async #check(): Promise<{ readonly data: unknown } | Judgement> {
    const { output } = this.#request;
    const code = 'invalid_output';
    if (this.#text.length > longestAnswer) return { code, problem: 'it is too long to be checked' };
    try {
      const schema = (output?.schema ?? null) as UserSchema | null;
      const answer = await this.#options.checks.check(bareJson(this.#text), schema);
      return answer.ok ? { data: answer.data } : { code, problem: answer.problems.map(inWords).join('; ') };
    } catch (error) {
      // Nobody could judge it, which is no fault of the answer.
      if (error instanceof AppError) return { code: error.code, problem: error.message };
      throw error;
    }
  }
}

interface Judgement {
  readonly code: ErrorCode;
  readonly problem: string;
}

function refused(result: RoutedResult & { readonly ok: true }, { code, problem }: Judgement): FormedResult {
  if (code !== 'invalid_output') return failed(result, code, problem);
  const detail =
    result.stopReason === 'length'
      ? 'The answer was cut off at its limit of tokens. Allow more.'
      : `The answer does not have the form that the pattern asks for: ${problem.slice(0, 600)}. Run it again, or use another model.`;
  return { ...failed(result, code, detail), attempts: spoiled(result.attempts) };
}

function failed(result: RoutedResult, code: ErrorCode, detail: string): FormedResult {
  const { usage, status, firstOutputMs, served, attempts } = result;
  return { ok: false, code, detail, usage, status, firstOutputMs, served, attempts };
}

/** Models like to put a fence around JSON; a fence around all of it is taken off. */
export function bareJson(text: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith('```') || !trimmed.endsWith('```')) return trimmed;
  const from = trimmed.indexOf('\n');
  return from < 0 ? trimmed : trimmed.slice(from + 1, -3).trim();
}

function inWords({ pointer, detail }: ValueProblem): string {
  return `${pointer === '' ? 'the answer' : pointer} ${detail}`;
}

function repairMessages(messages: readonly ModelMessage[], answer: string, problem: string): readonly ModelMessage[] {
  const content = `This answer does not have the form that it must have: ${problem}. Answer again with the whole corrected JSON value and nothing else.`;
  if (answer.trim() === '') return [...messages, { role: 'user', content }];
  return [...messages, { role: 'assistant', content: answer }, { role: 'user', content }];
}

/** The last attempt did what it was asked, but its answer is of no use. */
function spoiled(attempts: readonly Attempt[]): readonly Attempt[] {
  return attempts.map((attempt, at) =>
    at === attempts.length - 1 ? { ...attempt, outcome: 'failed', code: 'invalid_output' } : attempt,
  );
}

function joined(first: RoutedResult, before: readonly Attempt[], second: RoutedResult): RoutedResult {
  const attempts = second.attempts.map((attempt) => ({ ...attempt, number: attempt.number + before.length }));
  return { ...second, usage: sum(first.usage, second.usage), attempts: [...before, ...attempts] };
}

/** Both calls are charged. A count that one of them does not tell is not known of both. */
function sum(first: ModelUsage, second: ModelUsage): ModelUsage {
  const add = (a: number | null | undefined, b: number | null | undefined) => (a == null || b == null ? null : a + b);
  const written = (first.cache_write_tokens ?? 0) + (second.cache_write_tokens ?? 0);
  return {
    input_tokens: add(first.input_tokens, second.input_tokens),
    output_tokens: add(first.output_tokens, second.output_tokens),
    cached_input_tokens: add(first.cached_input_tokens, second.cached_input_tokens),
    reasoning_tokens: add(first.reasoning_tokens, second.reasoning_tokens),
    ...(written > 0 ? { cache_write_tokens: written } : {}),
  };
}
