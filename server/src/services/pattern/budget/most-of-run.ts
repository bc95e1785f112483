import { reasoningOf } from '../model/anthropic-models.ts';
import type { ModelMessage, ModelRequest } from '../model/model-call.ts';
import type { Candidate } from '../routing/candidate.ts';
import { type DatedPrice, type Price, priceAt } from '../routing/price.ts';

/** What a run may take at most, all of its calls together. */
export interface MostOfRun {
  /** Millionths of a US dollar; null where the price of a model is not known. */
  readonly micros: number | null;
  readonly tokens: number;
  /** The same for one call. */
  readonly call: { readonly micros: number; readonly tokens: number };
  /** The first model whose price is not known. */
  readonly unpriced: string | undefined;
}

export interface RunCalls {
  readonly candidates: readonly Pick<Candidate, 'name' | 'model' | 'facts'>[];
  readonly repeatUncertain: boolean;
  readonly request: Pick<ModelRequest, 'messages' | 'parameters' | 'tools' | 'output'>;
  /** Tokens that an answer may have where the request does not say. */
  readonly defaultMaxTokens: number;
}

/** No vocabulary makes more tokens of a text than it has bytes in UTF-8. */
const ofMessage = 32;
/** What vendors add by themselves. */
const ofRequest = 256;
const ofTools = 2_000;
/** The largest image that a vendor counts, with room. */
const ofImage = 8_000;
/** A page of a PDF is text and image; small ones have about one page for this many characters of base64. */
const ofPage = 8_000;
const charactersOfPage = 4_000;
/** An answer that does not have its form is sent back once with what is wrong. */
const ofRepair = 2_000;
/** Calls that may be repeated although they may have been charged: of one model, and of all of them. */
const callsOfModel = 3;
const callsOfRun = 6;

/** The maximum of all models that may be called, with repeats that may cost and one repair of the answer's form. */
export function mostOfRun(
  { candidates, repeatUncertain, request, defaultMaxTokens }: RunCalls,
  now: number,
): MostOfRun {
  const input = mostInput(request);
  const formed = request.output !== undefined;
  const times = repeatUncertain ? Math.min(callsOfRun, callsOfModel * Math.max(1, candidates.length)) : 1;
  let micros: number | null = 0;
  let tokens = 0;
  const call = { micros: 0, tokens: 0 };
  let unpriced: string | undefined;
  for (const { name, model, facts } of candidates) {
    const window = facts.context_window ?? Number.POSITIVE_INFINITY;
    const { max_tokens, reasoning_effort } = request.parameters;
    const standard = name.startsWith('local/') && window < Number.POSITIVE_INFINITY ? window : defaultMaxTokens;
    const output = (max_tokens ?? standard) + reasoningOf(model, reasoning_effort).extraTokens;
    const inputs = formed ? [input, input + output + ofRepair] : [input];
    let cost: number | null = 0;
    let count = 0;
    for (const wanted of inputs) {
      const taken = Math.min(wanted, window);
      const one = costAtMost(facts.prices, now, taken, output);
      count += taken + output;
      cost = cost === null || one === null ? null : cost + one;
      call.tokens = Math.max(call.tokens, taken + output);
      call.micros = Math.max(call.micros, one ?? 0);
    }
    if (cost === null) {
      unpriced ??= name;
      micros = null;
    } else if (micros !== null) micros = Math.max(micros, cost * times);
    tokens = Math.max(tokens, count * times);
  }
  return { micros, tokens, call, unpriced };
}

function mostInput({ messages, tools, output }: RunCalls['request']): number {
  let tokens = ofRequest;
  for (const message of messages) tokens += ofMessage + tokensOf(message);
  if (tools !== undefined && tools.length > 0) tokens += ofTools + Buffer.byteLength(JSON.stringify(tools));
  // Told to the vendor, and to the model in words where the vendor has no place for it.
  if (output?.schema !== undefined) tokens += 2 * Buffer.byteLength(JSON.stringify(output.schema));
  return tokens;
}

function tokensOf({ content, tool_calls }: ModelMessage): number {
  let tokens = tool_calls === undefined ? 0 : Buffer.byteLength(JSON.stringify(tool_calls));
  if (typeof content === 'string') return tokens + Buffer.byteLength(content);
  for (const part of content) {
    if (part.type === 'text') tokens += Buffer.byteLength(part.text);
    else if (part.type === 'image') tokens += ofImage;
    else tokens += ofPage * Math.ceil(part.data.length / charactersOfPage);
  }
  return tokens;
}

/** Null where nobody knows the price. What is cached or written to a cache may cost more than plain input. */
function costAtMost(prices: readonly DatedPrice[], now: number, input: number, output: number): number | null {
  const known = [priceAt(prices, now, input), priceAt(prices, now, 0)].filter((price) => price !== null);
  if (known.length === 0) return null;
  const cost = (price: Price) =>
    input * Math.max(price.input, price.cached_input ?? 0, price.cache_write ?? 0) + output * price.output;
  return Math.ceil(Math.max(...known.map(cost)) / 1_000_000);
}
