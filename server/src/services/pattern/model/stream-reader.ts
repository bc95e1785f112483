import { createDataLines, createLines, type LineReader } from './line-reader.ts';
import type { Answer } from './model-answer.ts';
import type { ModelRequest } from './model-call.ts';
import type { Protocol } from './protocol.ts';
import { createRepeatedChunks, type RepeatedChunks } from './repeated-chunk.ts';

/** Why nothing more is read. */
export type StreamFault = 'a line too long' | 'not JSON';

/**
 * Reads the body of a streamed answer. What comes in one turn of the event loop is read together, and `onRead` called
 * once: providers send small pieces, and each costs as much by itself as many do together.
 */
export class StreamReader {
  readonly #protocol: Protocol;
  readonly #request: ModelRequest;
  readonly #answer: Answer;
  readonly #onRead: (fault: StreamFault | null) => void;
  readonly #lines: LineReader;
  #waiting: Buffer[] = [];
  #repeated: RepeatedChunks | undefined;
  #fault: StreamFault | null = null;

  constructor(protocol: Protocol, request: ModelRequest, answer: Answer, onRead: (fault: StreamFault | null) => void) {
    this.#protocol = protocol;
    this.#request = request;
    this.#answer = answer;
    this.#onRead = onRead;
    const open = protocol.framing === 'events' ? createDataLines : createLines;
    this.#lines = open((data) => this.#take(data));
  }

  push(chunk: Buffer) {
    if (this.#waiting.push(chunk) === 1) queueMicrotask(this.flush);
  }

  /** Reads what waits. */
  readonly flush = () => {
    const chunks = this.#waiting;
    if (chunks.length === 0) return;
    this.#waiting = [];
    if (!this.#lines.push(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)))
      this.#fault ??= 'a line too long';
    this.#onRead(this.#fault);
  };

  /** Reads what waits as the end of the stream. */
  end() {
    this.flush();
    this.#lines.end();
    this.#onRead(this.#fault);
  }

  #take(data: string) {
    const answer = this.#answer;
    if (this.#fault || answer.ended || answer.reported) return;
    const text = this.#repeated?.textOf(data);
    if (text !== undefined) return answer.text(text);
    if (this.#protocol.readMark?.(data, answer)) return;
    let document: unknown;
    try {
      document = JSON.parse(data);
    } catch {
      this.#fault = 'not JSON';
      return;
    }
    if (typeof document !== 'object' || document === null) return;
    const { pieces } = answer;
    this.#protocol.readEvent(document, answer, this.#request);
    if (answer.pieces === pieces + 1) this.#learn(data);
  }

  #learn(data: string) {
    this.#repeated ??= createRepeatedChunks((read, into) => this.#protocol.readEvent(read, into, this.#request));
    this.#repeated.learn(data, this.#answer.lastPiece);
  }
}
