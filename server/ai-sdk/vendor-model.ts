/** What we use of a model of the AI SDK (specification v4). */
export interface VendorModel {
  doGenerate(options: CallOptions): PromiseLike<{
    readonly content: readonly Content[];
    readonly finishReason: FinishReason;
    readonly usage: Usage;
  }>;
  doStream(options: CallOptions): PromiseLike<{ readonly stream: ReadableStream<StreamPart> }>;
}

export interface CallOptions {
  readonly prompt: readonly object[];
  readonly abortSignal: AbortSignal;
  readonly [option: string]: unknown;
}

export interface Usage {
  readonly inputTokens?: { readonly total?: number; readonly cacheRead?: number };
  readonly outputTokens?: { readonly total?: number; readonly reasoning?: number };
}

export interface FinishReason {
  readonly unified: string;
}

export interface Content {
  readonly type: string;
  readonly text?: string;
  readonly toolCallId?: string;
  readonly toolName?: string;
  readonly input?: string;
}

export interface StreamPart extends Content {
  readonly delta?: string;
  readonly usage?: Usage;
  readonly finishReason?: FinishReason;
  readonly error?: unknown;
}
