import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { Message, Parameters, Usage } from '@damask/contracts/run.ts';

/** One call to a model, as every adapter takes it. */
export interface ModelRequest {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly parameters: Parameters;
  readonly stream: boolean;
  /** Milliseconds from now until the call must have ended. */
  readonly timeoutMs: number;
  /** Takes text as it arrives, all at once when the call is not a stream. Answers false to be asked for `resume` before more comes. */
  readonly onText: (text: string) => boolean;
}

/** How the call ended. The text itself went to `onText`, also of a call that failed midway. */
export type ModelResult =
  | {
      readonly ok: true;
      readonly stopReason: string;
      readonly usage: Usage;
      readonly status: number;
      readonly firstOutputMs: number | null;
    }
  | {
      readonly ok: false;
      readonly usage: Usage;
      readonly code: ErrorCode;
      readonly detail: string;
      /** HTTP status of the provider, when there was one. */
      readonly status: number | null;
      readonly retryAfterSeconds?: number;
      readonly firstOutputMs: number | null;
    };

export interface ModelCall {
  readonly done: Promise<ModelResult>;
  /** Ends the call upstream; `done` then tells this code. */
  abort(code: ErrorCode, detail: string): void;
  resume(): void;
}

/** Where a model is reached. */
export interface ModelPort {
  call(request: ModelRequest): ModelCall;
}

export const unknownUsage: Usage = {
  input_tokens: null,
  output_tokens: null,
  cached_input_tokens: null,
  reasoning_tokens: null,
};
