import type { ErrorCode } from '@damask/contracts/errors.ts';
import type { ContentPart, Message, Tool, ToolCall, ToolChoice } from '@damask/contracts/message.ts';
import type { Parameters } from '@damask/contracts/parameters.ts';
import type { Usage } from '@damask/contracts/run.ts';

export type { ContentPart, Tool, ToolCall, ToolChoice } from '@damask/contracts/message.ts';

/** One message; `system` ones come first. */
export interface ModelMessage {
  readonly role: Message['role'];
  readonly content: string | readonly ContentPart[];
  readonly tool_calls?: readonly ToolCall[];
  readonly tool_call_id?: string;
}

/** The form that the answer must have. Without a schema: any JSON. */
export interface OutputForm {
  readonly type: 'json';
  readonly schema?: object;
}

/** One call to a model, as every adapter takes it. */
export interface ModelRequest {
  readonly model: string;
  readonly messages: readonly ModelMessage[];
  readonly parameters: Parameters;
  readonly stream: boolean;
  readonly output?: OutputForm;
  readonly tools?: readonly Tool[];
  readonly tool_choice?: ToolChoice;
  /** Marks what comes before the last user message for the vendor's prompt cache, where that needs a mark. */
  readonly cachePrompt?: boolean;
  /** Milliseconds from now until the call must have ended. */
  readonly timeoutMs: number;
  /** Takes text as it arrives, all at once when the call is not a stream. Answers false to be asked for `resume` before more comes. */
  readonly onText: (text: string) => boolean;
}

export interface ModelUsage extends Usage {
  /** Of `input_tokens`: what was put into the vendor's cache, where that has a price of its own. */
  readonly cache_write_tokens?: number | null;
}

/** How the call ended. The text itself went to `onText`, also of a call that failed midway. */
export type ModelResult =
  | {
      readonly ok: true;
      /** `stop`, `length`, `content_filter`, `tool_calls`, or what else the provider said. */
      readonly stopReason: string;
      readonly usage: ModelUsage;
      readonly tool_calls: readonly ToolCall[];
      readonly status: number;
      readonly firstOutputMs: number | null;
    }
  | {
      readonly ok: false;
      readonly usage: ModelUsage;
      readonly code: ErrorCode;
      readonly detail: string;
      /** HTTP status of the provider, when there was one. */
      readonly status: number | null;
      readonly retryAfterSeconds?: number;
      /** The request went out and no verdict came back: whether the provider works on it and charges it is not known. */
      readonly uncertain?: boolean;
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
