import { writeFile } from 'node:fs/promises';

export interface TinyModelOptions {
  /** Tokens that the model was made for. Default 512. */
  readonly contextLength?: number;
  /** After `z` comes `a` again, and so on for ever. */
  readonly endless?: boolean;
  /** How sure the model is of its next letter. 1 is certain at any temperature; near 0 it babbles. */
  readonly certainty?: number;
}

const width = 64;
const hidden = 128;
const letters = 'abcdefghijklmnopqrstuvwxyz';

// Kinds of a token and of a metadata value, as GGUF numbers them.
const tokenKind = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;
const valueKind = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;

const chatTemplate =
  '{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}';

/**
 * Writes a llama model of some 350 KB that says the alphabet and then stops. Each character is a token, so that every
 * count is known: the prompt is `role: content` and a newline for each message, then `assistant: `.
 */
export async function writeTinyModel(path: string, options: TinyModelOptions = {}): Promise<void> {
  const tokens = vocabulary();
  const tensors = weights(tokens, options);
  const entries = metadata(tokens, options.contextLength ?? 512);
  let offset = 0;
  const directory = tensors.map((tensor) => {
    const entry = Buffer.concat([
      text(tensor.name),
      u32(tensor.shape.length),
      ...tensor.shape.map(u64),
      u32(0),
      u64(offset),
    ]);
    offset += aligned(tensor.data).length;
    return entry;
  });
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(entries.length),
    ...entries,
    ...directory,
  ]);
  await writeFile(path, Buffer.concat([aligned(head), ...tensors.map((tensor) => aligned(tensor.data))]));
}

interface Token {
  readonly text: string;
  readonly kind: number;
}

const endOfText = 2;

function vocabulary(): Token[] {
  const tokens: Token[] = [
    { text: '<unk>', kind: tokenKind.unknown },
    { text: '<s>', kind: tokenKind.control },
    { text: '</s>', kind: tokenKind.control },
  ];
  for (let byte = 0; byte < 256; byte++) {
    tokens.push({ text: `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, kind: tokenKind.byte });
  }
  // The tokenizer writes a space as U+2581.
  tokens.push({ text: '\u2581', kind: tokenKind.normal });
  for (let code = 33; code < 127; code++) tokens.push({ text: String.fromCharCode(code), kind: tokenKind.normal });
  return tokens;
}

function metadata(tokens: readonly Token[], contextLength: number): Buffer[] {
  const entry = (key: string, kind: number, value: Buffer) => Buffer.concat([text(key), u32(kind), value]);
  const number = (key: string, value: number) => entry(key, valueKind.uint32, u32(value));
  const string = (key: string, value: string) => entry(key, valueKind.string, text(value));
  const no = (key: string) => entry(key, valueKind.bool, Buffer.from([0]));
  const list = (key: string, kind: number, values: Buffer[]) =>
    entry(key, valueKind.array, Buffer.concat([u32(kind), u64(values.length), ...values]));
  return [
    string('general.architecture', 'llama'),
    string('general.name', 'alphabet'),
    number('llama.context_length', contextLength),
    number('llama.embedding_length', width),
    number('llama.block_count', 1),
    number('llama.feed_forward_length', hidden),
    number('llama.attention.head_count', 4),
    number('llama.rope.dimension_count', width / 4),
    number('llama.vocab_size', tokens.length),
    entry('llama.attention.layer_norm_rms_epsilon', valueKind.float32, f32(1e-5)),
    string('tokenizer.ggml.model', 'llama'),
    list(
      'tokenizer.ggml.tokens',
      valueKind.string,
      tokens.map((token) => text(token.text)),
    ),
    list(
      'tokenizer.ggml.scores',
      valueKind.float32,
      tokens.map(() => f32(0)),
    ),
    list(
      'tokenizer.ggml.token_type',
      valueKind.int32,
      tokens.map((token) => u32(token.kind)),
    ),
    number('tokenizer.ggml.bos_token_id', 1),
    number('tokenizer.ggml.eos_token_id', endOfText),
    number('tokenizer.ggml.unknown_token_id', 0),
    no('tokenizer.ggml.add_bos_token'),
    no('tokenizer.ggml.add_space_prefix'),
    string('tokenizer.chat_template', chatTemplate),
  ];
}

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Buffer;
}

/**
 * Attention and feed-forward are random but end in zeros, so a token's embedding passes unchanged; the output row of a
 * letter is the embedding of the letter before it. Random vectors of this width are far enough from each other.
 */
function weights(tokens: readonly Token[], options: TinyModelOptions): Tensor[] {
  const random = gaussian(42);
  const make = (name: string, shape: readonly number[], fill: () => number): Tensor => {
    const values = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, fill);
    return { name, shape, data: Buffer.from(values.buffer) };
  };
  const noise = () => 0.1 * random();
  const embedding = Float32Array.from({ length: width * tokens.length }, random);
  const output = new Float32Array(width * tokens.length);
  const follow = (before: number, after: number) => {
    for (let i = 0; i < width; i++) {
      const value = (output[after * width + i] ?? 0) + (embedding[before * width + i] ?? 0) * (options.certainty ?? 1);
      output[after * width + i] = value;
    }
  };
  const id = (character: string) => tokens.findIndex((token) => token.text === character);
  follow(id('\u2581'), id('a'));
  for (let i = 1; i < letters.length; i++) follow(id(letters.charAt(i - 1)), id(letters.charAt(i)));
  follow(id('z'), options.endless ? id('a') : endOfText);
  return [
    { name: 'token_embd.weight', shape: [width, tokens.length], data: Buffer.from(embedding.buffer) },
    make('blk.0.attn_norm.weight', [width], () => 1),
    make('blk.0.attn_q.weight', [width, width], noise),
    make('blk.0.attn_k.weight', [width, width], noise),
    make('blk.0.attn_v.weight', [width, width], noise),
    make('blk.0.attn_output.weight', [width, width], () => 0),
    make('blk.0.ffn_norm.weight', [width], () => 1),
    make('blk.0.ffn_gate.weight', [width, hidden], noise),
    make('blk.0.ffn_up.weight', [width, hidden], noise),
    make('blk.0.ffn_down.weight', [hidden, width], () => 0),
    make('output_norm.weight', [width], () => 1),
    { name: 'output.weight', shape: [width, tokens.length], data: Buffer.from(output.buffer) },
  ];
}

/** Normally distributed numbers, the same ones each time (xorshift32, Box-Muller). */
function gaussian(seed: number): () => number {
  let state = seed;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 1) / (2 ** 32 + 1);
  };
  return () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
}

// GGUF is little-endian; data begin at multiples of 32 bytes.
const aligned = (data: Buffer) => Buffer.concat([data, Buffer.alloc((32 - (data.length % 32)) % 32)]);

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}
