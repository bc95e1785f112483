import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ApiError } from './api-error.ts';
import type { Message, Sampling } from './chat-request.ts';
import type { ChatHistoryItem, ContextSequence, LlamaChat, LlamaLibrary } from './llama-library.ts';

/** One place in the model's memory; takes one request at a time. */
export interface Sequence {
  readonly chat: LlamaChat;
  readonly state: ContextSequence;
}

export interface Prompt {
  readonly history: readonly ChatHistoryItem[];
  readonly tokens: readonly number[];
}

export interface Outcome {
  readonly finishReason: 'stop' | 'length';
  readonly completionTokens: number;
}

export interface Engine {
  readonly contextSize: number;
  readonly sequences: readonly Sequence[];
  /** Puts messages through the model's chat template. Throws `context_length_exceeded` when they do not fit. */
  prepare(messages: readonly Message[]): Prompt;
  /** Generates until the model stops; rejects with the signal's reason soon after it aborts. */
  generate(
    sequence: Sequence,
    prompt: Prompt,
    sampling: Sampling,
    onText: (text: string) => void,
    signal: AbortSignal,
  ): Promise<Outcome>;
  close(): Promise<void>;
}

export interface EngineOptions {
  /** The folder whose node_modules hold node-llama-cpp. */
  readonly runtime: string;
  readonly model: string;
  /** Tokens that one request may use, prompt and answer together; lowered to what the model was trained on. */
  readonly contextSize: number;
  readonly sequences: number;
  /** 0: one for each core but one. */
  readonly threads: number;
}

const defaultMaxTokens = 512;

// Tokens that the penalties look back on; the library's own 64 are shorter than what small models repeat.
const penaltyWindow = 256;

// Small models fall into loops of whole lines, which end at no breaker: the longer a repetition, the dearer it becomes.
const dryRepeatPenalty = { strength: 0.8, base: 1.75, allowedLength: 3, lastTokens: 512, sequenceBreakers: [] };

// llama.cpp cannot be stopped within one evaluation, so long prompts go in by portions: about a second each on two cores.
const promptPortion = 256;

/** Loads one GGUF file on the CPU. Never builds nor downloads anything. */
export async function loadEngine(options: EngineOptions): Promise<Engine> {
  const entry = createRequire(join(options.runtime, 'package.json')).resolve('node-llama-cpp');
  const library: LlamaLibrary = await import(pathToFileURL(entry).href);
  const llama = await library.getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    logLevel: 'error',
    logger: (level, message) => process.stderr.write(`llama ${level}: ${message.trimEnd()}\n`),
  });
  const model = await llama.loadModel({ modelPath: options.model, gpuLayers: 0 });
  const context = await model.createContext({
    sequences: options.sequences,
    contextSize: { max: options.contextSize },
    // Its threads spin until all have done their part, so one without a core stops them all: on two busy cores two threads
    // gave 2 tokens/s and one gave 40. One core is left to the platform.
    threads: options.threads || Math.max(1, Math.min(llama.cpuMathCores, availableParallelism()) - 1),
  });
  // The file's own template first: the library's built-in one for this family starts the text twice.
  const chatWrapper = library.resolveChatWrapper(model, { type: 'jinjaTemplate', warningLogs: false });
  const { contextSize } = context;

  return {
    contextSize,
    sequences: Array.from({ length: options.sequences }, () => {
      const state = context.getSequence();
      return { state, chat: new library.LlamaChat({ contextSequence: state, chatWrapper }) };
    }),
    prepare(messages) {
      const history: ChatHistoryItem[] = messages.map(toHistoryItem);
      if (history.at(-1)?.type !== 'model') history.push({ type: 'model', response: [] });
      const tokens = chatWrapper.generateContextState({ chatHistory: history }).contextText.tokenize(model.tokenizer);
      if (room(contextSize, tokens.length) < 1) throw tooLong(tokens.length, contextSize);
      return { history, tokens };
    },
    async generate({ chat, state }, prompt, sampling, onText, signal) {
      const before = state.tokenMeter.getState();
      await readPrompt(state, prompt.tokens, signal);
      const left = room(contextSize, prompt.tokens.length);
      const { metadata } = await chat.generateResponse(prompt.history, {
        onTextChunk: onText,
        signal,
        maxTokens: Math.min(sampling.maxTokens ?? defaultMaxTokens, left),
        temperature: sampling.temperature,
        topP: sampling.topP,
        ...(sampling.seed === undefined ? {} : { seed: sampling.seed >>> 0 }),
        repeatPenalty: {
          lastTokens: penaltyWindow,
          frequencyPenalty: sampling.frequencyPenalty,
          presencePenalty: sampling.presencePenalty,
        },
        dryRepeatPenalty,
        customStopTriggers: sampling.stop,
      });
      return {
        finishReason: metadata.stopReason === 'maxTokens' ? 'length' : 'stop',
        completionTokens: state.tokenMeter.diff(before).usedOutputTokens,
      };
    },
    close: () => llama.dispose(),
  };
}

/** Evaluates all but the last token; what the sequence still knows from its previous request is not read again. */
async function readPrompt(state: ContextSequence, tokens: readonly number[], signal: AbortSignal): Promise<void> {
  const all = tokens.slice(0, -1);
  await state.adaptStateToTokens(all, false);
  for (let at = state.nextTokenIndex; at < all.length; at += promptPortion) {
    signal.throwIfAborted();
    await state.evaluateWithoutGeneratingNewTokens(all.slice(at, at + promptPortion));
  }
  signal.throwIfAborted();
}

// Two tokens stay free: at the brim the library would drop the beginning of the conversation to go on.
const room = (contextSize: number, promptTokens: number) => contextSize - promptTokens - 2;

function tooLong(tokens: number, contextSize: number): ApiError {
  // Worded as OpenAI does, because clients tell this failure by its text.
  const message = `This model's maximum context length is ${contextSize} tokens and the messages have ${tokens}. Shorten the input or use a model with a longer context.`;
  return new ApiError(400, 'context_length_exceeded', message, { param: 'messages' });
}

function toHistoryItem(message: Message): ChatHistoryItem {
  if (message.role === 'assistant') return { type: 'model', response: [message.content] };
  return { type: message.role, text: message.content };
}
