import type { Clock, Timer } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import type { Vault } from '#platform/vault.ts';
import type { LiveRun } from './live-runs.ts';
import { forgetOldPieces, keepPieces, type OutputPiece } from './output-store.ts';
import type { OutputText } from './output-text.ts';
import { createRunReaders } from './run-readers.ts';

/** Writes down what runs of this process say, so that they can be followed from other processes. */
export interface OutputPublisher {
  /** A queued run has said more. */
  grown(live: LiveRun, token: bigint): void;
  /** Somebody elsewhere follows a run whose caller waits; to be said again every few seconds. */
  wanted(live: LiveRun): void;
  /** It has ended, and its text is in its record. */
  ended(live: LiveRun): void;
  stop(): Promise<void>;
}

/** Milliseconds between two pieces of a run. */
const every = 250;
/** Milliseconds that a follower elsewhere counts without asking again. */
const wantedFor = 15_000;
const forgetEvery = 600_000;

interface Published {
  readonly live: LiveRun;
  readonly token: bigint;
  output: OutputText;
  attempt: number;
  index: number;
  bytes: number;
  dirty: boolean;
  written: boolean;
  /** Of a run whose caller waits: how long somebody elsewhere counts as a reader. */
  lease?: { until: number; leave(): void };
}

export function pieceAt({ run, token, attempt, start }: Omit<OutputPiece, 'piece' | 'bytes'>) {
  return { table: 'pattern.run_output', row: `${run} ${token} ${attempt} ${start}`, column: 'piece' };
}

export function createOutputPublisher(parts: {
  database: Pick<Database, 'transaction'>;
  vault: Vault;
  clock: Clock;
  log: Log;
}): OutputPublisher {
  const { database, vault, clock, log } = parts;
  const published = new Map<LiveRun, Published>();
  let gone: { workspace: string; run: string }[] = [];
  let timer: Timer | undefined;
  let writing: Promise<void> = Promise.resolve();
  let stopped = false;
  let forgotten = Number.NEGATIVE_INFINITY;

  const schedule = () => {
    if (timer || stopped) return;
    timer = clock.after(every, () => {
      timer = undefined;
      writing = writing.then(flush);
    });
  };

  const entryOf = (live: LiveRun, token: bigint): Published => {
    const known = published.get(live);
    if (known) return known;
    const fresh = { live, token, output: live.output, attempt: 1, index: 0, bytes: 0, dirty: false, written: false };
    published.set(live, fresh);
    return fresh;
  };

  const mark = (entry: Published) => {
    entry.dirty = true;
    schedule();
  };

  async function flush() {
    const due = [...published.values()].filter(({ dirty }) => dirty);
    const before = due.map(({ index, bytes }) => ({ index, bytes }));
    const ended = gone;
    gone = [];
    try {
      const pieces: OutputPiece[] = [];
      for (const entry of due) {
        const piece = await cut(entry);
        if (piece) pieces.push(piece);
      }
      if (pieces.length > 0 || ended.length > 0) await keepPieces(database, pieces, ended);
      if (clock.monotonic() - forgotten > forgetEvery) {
        forgotten = clock.monotonic();
        await forgetOldPieces(database);
      }
    } catch (error) {
      log.warn('What runs say could not be written down yet', { runs: due.length, error });
      gone.push(...ended);
      for (const [at, entry] of due.entries()) Object.assign(entry, before[at], { dirty: true });
      schedule();
    }
  }

  async function cut(entry: Published): Promise<OutputPiece | undefined> {
    entry.dirty = false;
    if (entry.output !== entry.live.output) {
      entry.output = entry.live.output;
      entry.attempt += 1;
      entry.index = 0;
      entry.bytes = 0;
    }
    const { workspace, id: run } = entry.live.row;
    const text = entry.output.text.slice(entry.index);
    if (text === '') return undefined;
    const place = { workspace, run, token: entry.token, attempt: entry.attempt, start: entry.bytes };
    const plain = Buffer.from(text);
    entry.index += text.length;
    entry.bytes += plain.length;
    entry.written = true;
    await vault.ready(workspace);
    return { ...place, bytes: plain.length, piece: await vault.seal(workspace, pieceAt(place), plain) };
  }

  function expire(live: LiveRun, entry: Published) {
    const { lease } = entry;
    if (!lease) return;
    const left = lease.until - clock.monotonic();
    if (left > 0 && published.get(live) === entry && !live.readers?.closed) {
      clock.after(left, () => expire(live, entry));
      return;
    }
    lease.leave();
    delete entry.lease;
    end(live);
  }

  function end(live: LiveRun) {
    const entry = published.get(live);
    if (!entry) return;
    published.delete(live);
    if (!entry.written) return;
    gone.push({ workspace: live.row.workspace, run: live.row.id });
    schedule();
  }

  return {
    grown(live, token) {
      if (live.row.texts !== 'not_stored') mark(entryOf(live, token));
    },
    wanted(live) {
      if (live.late || live.row.texts === 'not_stored') return;
      const entry = entryOf(live, 0n);
      const until = clock.monotonic() + wantedFor;
      if (entry.lease) {
        entry.lease.until = until;
        return;
      }
      live.readers ??= createRunReaders();
      const { readers } = live;
      const wake = () => {
        if (readers.closed) end(live);
        else mark(entry);
      };
      readers.join(wake);
      entry.lease = { until, leave: () => readers.leave(wake) };
      clock.after(wantedFor, () => expire(live, entry));
      mark(entry);
    },
    ended: end,
    async stop() {
      stopped = true;
      timer?.cancel();
      writing = writing.then(flush);
      await writing;
    },
  };
}
