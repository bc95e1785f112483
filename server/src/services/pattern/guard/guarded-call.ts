import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { RunFlag } from '@damask/contracts/guard.ts';
import type { FindStream } from '#platform/redact/find-stream.ts';
import type { TextThreads } from '#platform/redact/text-threads.ts';
import type { ModelCall, ModelRequest } from '../model/model-call.ts';
import { bareJson, type FormedResult } from '../run/structured-output.ts';
import type { OutputChecks, Verdict } from './output-checks.ts';

/** A call to a model, however it is made. */
export type MakeCall = (request: ModelRequest) => ModelCall & { readonly done: Promise<FormedResult> };

/** The end of a call whose answer was checked. */
export type GuardedResult = FormedResult & { readonly flags?: readonly RunFlag[] };

/**
 * Makes a call whose answer is checked before it goes out. Where all checks can tell within a few words, a stream goes on, some
 * words behind; else it waits for the end. What is held back ends `output_blocked`, and nothing of it is passed on or kept.
 */
export class GuardedCall implements ModelCall {
  readonly done: Promise<GuardedResult>;
  readonly #checks: OutputChecks;
  readonly #threads: TextThreads;
  readonly #request: ModelRequest;
  readonly #streams: boolean;
  readonly #watch: FindStream | undefined;
  readonly #call: ReturnType<MakeCall>;
  #text = '';
  #blocked: RunFlag | undefined;

  constructor(make: MakeCall, request: ModelRequest, checks: OutputChecks, threads: TextThreads) {
    this.#checks = checks;
    this.#threads = threads;
    this.#request = request;
    this.#streams = request.stream && !checks.held;
    this.#watch = this.#streams ? checks.watch((flag) => this.#stop(flag)) : undefined;
    this.#call = make({ ...request, stream: this.#streams, onText: (text) => this.#take(text) });
    this.done = this.#finish();
  }

  abort(code: ErrorCode, detail: string) {
    this.#call.abort(code, detail);
  }

  resume() {
    this.#call.resume();
  }

  #take(text: string): boolean {
    this.#text += text;
    if (!this.#streams) return true;
    const out = this.#watch ? this.#watch.push(text) : text;
    return out === '' || this.#request.onText(out);
  }

  #stop(flag: RunFlag) {
    this.#blocked ??= flag;
    // The call may answer in this very moment: its own end comes later in any case.
    queueMicrotask(() => this.#call.abort('output_blocked', sayBlocked(flag)));
  }

  async #finish(): Promise<GuardedResult> {
    const ended = await this.#call.done;
    const asked = ended.ok ? ended.tool_calls : [];
    // Each as it is: spelled as JSON once more, an escape would be two.
    const said = [this.#text, ...asked.flatMap(({ id, name, arguments: given }) => [id, name, given])];
    const verdict = await this.#judge(said.join('\n'));
    const blocked = this.#blocked ?? verdict.blocked;
    const result = blocked || verdict.text !== this.#text ? withoutQuote(ended) : ended;
    const flags = blocked && !verdict.blocked ? [blocked, ...verdict.flags] : verdict.flags;
    const told = flags.length > 0 ? { flags } : {};
    // What broke off for another reason keeps it; its text is held back all the same.
    if (blocked && !result.ok && !this.#blocked) return { ...result, ...told };
    if (blocked) return { ...fail(result, 'output_blocked', sayBlocked(blocked)), ...told };
    if (!this.#streams && asked.length === 0) this.#pass(verdict.text);
    else if (!this.#streams) this.#pass((await this.#judge(this.#text)).text);
    else if (this.#watch) this.#pass(this.#watch.end());
    const masked = flags.some(({ action }) => action === 'mask');
    if (!masked || !result.ok) return { ...result, ...told };
    return { ...(await this.#masked(result, verdict)), ...told };
  }

  #pass(text: string) {
    if (text !== '') this.#request.onText(text);
  }

  #judge(text: string): Promise<Verdict> {
    return this.#checks.judge(this.#threads, text);
  }

  /** What was masked in the text must not stay in the value that it holds, nor in what the model asks tools for. */
  async #masked(result: FormedResult & { readonly ok: true }, { text }: Verdict): Promise<FormedResult> {
    const tool_calls = [];
    for (const call of result.tool_calls) {
      tool_calls.push({ ...call, arguments: (await this.#judge(call.arguments)).text });
    }
    if (result.data === undefined) return { ...result, tool_calls };
    try {
      return { ...result, tool_calls, data: JSON.parse(bareJson(text)) as unknown };
    } catch {
      return fail(result, 'invalid_output', 'What had to be masked in the answer left no JSON. Run it again.');
    }
  }
}

/** What is wrong with the form of an answer is told with words from it. */
function withoutQuote(result: FormedResult): FormedResult {
  if (result.ok || result.code !== 'invalid_output') return result;
  return { ...result, detail: 'The answer does not have the form that the pattern asks for. Run it again.' };
}

function sayBlocked({ check, found }: RunFlag): string {
  return `The check ${check} of the pattern found ${inWords(found)} in the answer and holds it back. Change the input, or ask who owns the pattern.`;
}

function inWords(found: string): string {
  if (found === 'words') return 'words that must not be there';
  if (found === 'expressions') return 'what must not be there';
  if (found === 'prompt') return 'its instructions';
  return found === 'secret' ? 'a secret' : `a text of the kind ${found}`;
}

/** The call did what it was asked, but its answer is of no use. */
function fail(result: FormedResult, code: ErrorCode, detail: string): FormedResult {
  const { usage, status, firstOutputMs, served } = result;
  const last = result.attempts.length - 1;
  const attempts = result.attempts.map((attempt, at) =>
    at === last ? { ...attempt, outcome: 'failed' as const, code } : attempt,
  );
  return { ok: false, code, detail, usage, status, firstOutputMs, served, attempts };
}
