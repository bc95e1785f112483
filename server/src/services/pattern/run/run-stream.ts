import type { Run } from '@damask/contracts/run.ts';
import type { EventSink } from '#platform/call.ts';
import type { OutputText } from './output-text.ts';
import type { AcceptedRow } from './record.ts';

/** What a client sees of a streamed run, in events. */
export interface RunStream {
  readonly opened: boolean;
  /** The acceptance is committed: what waited may go out. */
  open(): void;
  take(text: string): boolean;
  drained(): Promise<void>;
  /** Tells the end. False for a reader that was cut off: it must not take this for the whole. */
  close(rest: string, run: Run): boolean;
  /** The reader takes nothing: nothing more is sent to it, and the run goes on. */
  cutOff(): void;
  /** The answer goes another way: an acceptance that is committed only now is not told any more. */
  giveUp(): void;
}

export function createRunStream(sink: EventSink, row: AcceptedRow, output: OutputText): RunStream {
  return new EventRunStream(sink, row, output);
}

// A class, since every streamed run makes one: a literal with a getter costs ten times as much.
class EventRunStream implements RunStream {
  opened = false;
  #givenUp = false;
  #cut = false;
  #waiting = '';
  readonly #sink: EventSink;
  readonly #row: AcceptedRow;
  readonly #output: OutputText;

  constructor(sink: EventSink, row: AcceptedRow, output: OutputText) {
    this.#sink = sink;
    this.#row = row;
    this.#output = output;
  }

  open() {
    if (this.#givenUp) return;
    this.opened = true;
    const { id, pattern, version, model } = this.#row;
    this.#sink.emit('run.accepted', 0, { id, pattern, version, model });
    this.#send(this.#waiting);
    this.#waiting = '';
  }

  take(text: string): boolean {
    if (this.opened) return this.#cut || this.#send(text);
    this.#waiting += text;
    return true;
  }

  drained(): Promise<void> {
    return this.#sink.drained();
  }

  close(rest: string, run: Run): boolean {
    if (this.#cut) return false;
    this.#send(rest);
    this.#sink.emit(`run.${run.status}`, this.#output.bytes, run);
    return true;
  }

  cutOff() {
    this.#cut = true;
  }

  giveUp() {
    this.#givenUp = true;
  }

  #send(text: string): boolean {
    return text === '' || this.#sink.emit('output.delta', this.#output.bytes, { text });
  }
}
