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
  let opened = false;
  let givenUp = false;
  let cut = false;
  let waiting = '';
  const send = (text: string) => text === '' || sink.emit('output.delta', output.bytes, { text });
  return {
    get opened() {
      return opened;
    },
    open() {
      if (givenUp) return;
      opened = true;
      sink.emit('run.accepted', 0, { id: row.id, pattern: row.pattern, version: row.version, model: row.model });
      send(waiting);
      waiting = '';
    },
    take(text) {
      if (opened) return cut || send(text);
      waiting += text;
      return true;
    },
    drained: () => sink.drained(),
    close(rest, run) {
      if (cut) return false;
      send(rest);
      sink.emit(`run.${run.status}`, output.bytes, run);
      return true;
    },
    cutOff() {
      cut = true;
    },
    giveUp() {
      givenUp = true;
    },
  };
}
