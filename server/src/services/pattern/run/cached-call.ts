import type { ErrorCode } from '@damask/contracts/errors.ts';
import { type ModelCall, type ModelRequest, type ModelResult, unknownUsage } from '../model/model-call.ts';
import { unknownModel } from '../routing/model-facts.ts';
import type { RoutedResult } from '../routing/routed-call.ts';
import type { CachedAnswer } from './answer-cache.ts';
import { endOfPiece, pieceLength } from './replay-text.ts';

const free = [{ from: 0, input: 0, output: 0, cached_input: 0, cache_write: 0 }];
const nothingUsed = { input_tokens: 0, output_tokens: 0, cached_input_tokens: 0, reasoning_tokens: 0 };

/** Says an answer again in place of a call to a model. It costs nothing, and there is no attempt. */
export class CachedCall implements ModelCall {
  readonly done: Promise<RoutedResult>;
  readonly #answer: CachedAnswer;
  readonly #onText: ModelRequest['onText'];
  #at = 0;
  #settled = false;
  #tell!: (result: RoutedResult) => void;

  constructor(answer: CachedAnswer, { onText }: ModelRequest) {
    this.#answer = answer;
    this.#onText = onText;
    this.done = new Promise((tell) => {
      this.#tell = tell;
    });
    // Nothing comes before the caller holds the call.
    queueMicrotask(() => this.resume());
  }

  resume() {
    const { output, stopReason, toolCalls } = this.#answer;
    while (!this.#settled && this.#at < output.length) {
      const from = this.#at;
      this.#at = endOfPiece(output, from + pieceLength);
      if (!this.#onText(output.slice(from, this.#at))) return;
    }
    this.#settle({ ok: true, stopReason, usage: nothingUsed, tool_calls: toolCalls, status: 200, firstOutputMs: 0 });
  }

  abort(code: ErrorCode, detail: string) {
    this.#settle({ ok: false, code, detail, usage: unknownUsage, status: null, firstOutputMs: null });
  }

  #settle(result: ModelResult) {
    if (this.#settled) return;
    this.#settled = true;
    const served = { name: this.#answer.model, facts: { ...unknownModel, prices: free } };
    this.#tell({ ...result, attempts: [], served });
  }
}
