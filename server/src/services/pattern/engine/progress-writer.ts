import { insist } from './insist.ts';
import type { CallIntent, Claim, EnginePorts, Held, Progress, StepRecord } from './ports.ts';

/** Milliseconds after which a reply tells nothing: the run may have been taken over since it was sent. A lease is 15 s. */
const provesNothing = 10_000;

/** Gathers what is to be kept and keeps it, one commit after the other. */
export interface ProgressWriter {
  save(record: StepRecord): void;
  /** `kept` is called once the intent is committed, with all that was saved before. */
  note(intent: CallIntent, kept: () => void): void;
  /** The call has come back, or never went out. */
  ended(step: string): void;
  readonly pending: boolean;
  /** Calls wait for their intents to be kept. */
  readonly noting: boolean;
  readonly busy: boolean;
  /** Keeps what has come together; `done` tells how it went. Not while it is busy. */
  flush(): void;
  /** The last act: with what is still pending. `out` are the calls whose ends nobody will note. */
  close(act: (progress: Progress) => Promise<Held>): Promise<Held>;
}

export function createProgressWriter(
  { store, clock }: Pick<EnginePorts, 'store' | 'clock'>,
  claim: Claim,
  open: readonly CallIntent[],
  told: { kept(records: readonly StepRecord[]): void; done(): void; lost(): void; failed(error: unknown): void },
): ProgressWriter {
  const calling = new Map(open.map((intent) => [intent.step, intent]));
  let pending = new Map<string, StepRecord>();
  let notes: { readonly intent: CallIntent; readonly kept: () => void }[] = [];
  let busy = false;

  const take = (): Progress => {
    const done = [...pending.values()];
    pending = new Map();
    return { done, calling: [...calling.values()] };
  };

  async function keep(progress: Progress): Promise<Held> {
    for (;;) {
      const asked = clock.monotonic();
      const held = await insist(clock, () => store.checkpoint(claim, progress));
      if (held === 'lost' || clock.monotonic() - asked < provesNothing) return held;
    }
  }

  async function write() {
    busy = true;
    const noted = notes;
    notes = [];
    for (const { intent } of noted) calling.set(intent.step, intent);
    const progress = take();
    try {
      const held = await keep(progress);
      busy = false;
      if (held === 'lost') return told.lost();
      told.kept(progress.done);
      for (const { kept } of noted) kept();
      told.done();
    } catch (error) {
      busy = false;
      told.failed(error);
    }
  }

  return {
    save: (record) => void pending.set(record.path, record),
    note: (intent, kept) => void notes.push({ intent, kept }),
    ended: (step) => void calling.delete(step),
    get pending() {
      return pending.size > 0;
    },
    get noting() {
      return notes.length > 0;
    },
    get busy() {
      return busy;
    },
    flush: () => void write(),
    async close(act) {
      busy = true;
      notes = [];
      const progress = take();
      const asked = clock.monotonic();
      const held = await insist(clock, () => act(progress));
      // Late news of steps could come after those of the next holder.
      if (held === 'held' && clock.monotonic() - asked < provesNothing) told.kept(progress.done);
      return held;
    },
  };
}
