// The part of node-llama-cpp 3.22 that we use. It is installed outside this repository, so its own declarations are not there.

export interface LlamaLibrary {
  getLlama(options: {
    gpu: false;
    build: 'never';
    skipDownload: true;
    logLevel: string;
    logger(level: string, message: string): void;
  }): Promise<Llama>;
  resolveChatWrapper(model: LlamaModel, options: { type: 'jinjaTemplate'; warningLogs: boolean }): ChatWrapper;
  readonly LlamaChat: new (options: { contextSequence: ContextSequence; chatWrapper: ChatWrapper }) => LlamaChat;
}

interface Llama {
  readonly cpuMathCores: number;
  loadModel(options: { modelPath: string; gpuLayers: 0 }): Promise<LlamaModel>;
  dispose(): Promise<void>;
}

interface LlamaModel {
  readonly tokenizer: Tokenizer;
  createContext(options: {
    sequences: number;
    contextSize: { max: number };
    threads: number;
  }): Promise<{ readonly contextSize: number; getSequence(): ContextSequence }>;
}

type Tokenizer = { readonly tokenizer: unique symbol };

interface ChatWrapper {
  generateContextState(options: { chatHistory: readonly ChatHistoryItem[] }): {
    readonly contextText: { tokenize(tokenizer: Tokenizer): number[] };
  };
}

export type ChatHistoryItem =
  | { readonly type: 'system' | 'user'; readonly text: string }
  | { readonly type: 'model'; readonly response: readonly string[] };

interface TokenCounts {
  readonly usedInputTokens: number;
  readonly usedOutputTokens: number;
}

export interface ContextSequence {
  readonly nextTokenIndex: number;
  readonly tokenMeter: { getState(): TokenCounts; diff(from: TokenCounts): TokenCounts };
  adaptStateToTokens(tokens: readonly number[], allowShift: boolean): Promise<void>;
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>;
}

export interface LlamaChat {
  generateResponse(
    history: readonly ChatHistoryItem[],
    options: {
      onTextChunk(text: string): void;
      signal: AbortSignal;
      maxTokens: number;
      temperature: number;
      topP: number;
      seed?: number;
      repeatPenalty: { lastTokens: number; frequencyPenalty: number; presencePenalty: number };
      dryRepeatPenalty: {
        strength: number;
        base: number;
        allowedLength: number;
        lastTokens: number;
        sequenceBreakers: readonly string[];
      };
      customStopTriggers: readonly string[];
    },
  ): Promise<{ readonly metadata: { readonly stopReason: string } }>;
}
