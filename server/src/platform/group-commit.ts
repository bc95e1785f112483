import type pg from 'pg';
import { AppError } from './app-error.ts';
import type { Clock, Timer } from './clock.ts';
import { isRefusedRow, isTransient } from './database/database.ts';
import type { Log } from './log.ts';

export interface GroupCommitOptions<Row> {
  /** Opens one writer connection; called again after each loss. */
  readonly connect: () => Promise<pg.Client>;
  readonly connections: number;
  /** Writes all rows in one commit. Must be safe to repeat: a lost reply does not tell whether it was done. */
  readonly write: (client: pg.Client, rows: readonly Row[]) => Promise<void>;
  /** Keeps a row that can never be written, with the reason. */
  readonly quarantine: (client: pg.Client, row: Row, reason: string) => Promise<void>;
  readonly bytesOf: (row: Row) => number;
  readonly maxRows: number;
  /** So many rows being written make the others wait for them to form one group, although a connection is idle. */
  readonly gatherFrom: number;
  readonly maxBytes: number;
  /** Rows and bytes that may wait; beyond them `admit` refuses. */
  readonly queueRows: number;
  readonly queueBytes: number;
  /** Milliseconds after which a waiting row means that the writer is not well. */
  readonly lateAfter: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Written<Row> {
  /** Resolves when the row is committed; rejects when it was quarantined. */
  readonly committed: Promise<void>;
  /** Puts another row in place of one that has not been sent; false when it is too late. */
  replace(row: Row): boolean;
}

export interface GroupCommit<Row> {
  write(row: Row): Written<Row>;
  /** Throws `unavailable` or `overloaded` when new work should not begin. */
  admit(): void;
  readonly waiting: number;
  /** Writes what waits, for at most `milliseconds`, and closes. Answers how many rows were left. */
  stop(milliseconds: number): Promise<number>;
}

/** A row on its way. */
class Entry<Row> implements Written<Row> {
  row: Row;
  bytes: number;
  readonly at: number;
  /** Given to the database, which may have committed it. */
  sent = false;
  /** Committed or set aside. */
  done = false;
  resolve!: () => void;
  reject!: (error: unknown) => void;
  readonly committed: Promise<void>;
  readonly #replace: (entry: Entry<Row>, row: Row) => boolean;

  constructor(row: Row, bytes: number, at: number, replace: (entry: Entry<Row>, row: Row) => boolean) {
    this.row = row;
    this.bytes = bytes;
    this.at = at;
    this.#replace = replace;
    this.committed = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  replace(row: Row): boolean {
    return this.#replace(this, row);
  }
}

/** Milliseconds that a group waits for another one at most, should that connection hang. */
const gatherWithin = 20;
const reconnectAfter = [50, 100, 200, 500, 1_000];

/**
 * Natural group commit: a connection that is idle takes all that waits, and what arrives meanwhile forms the next group.
 * A row waits for one commit at most when the database keeps up, and groups grow by themselves when it does not.
 */
export function createGroupCommit<Row>(options: GroupCommitOptions<Row>): GroupCommit<Row> {
  const { clock, log } = options;
  let queue: Entry<Row>[] = [];
  let queuedBytes = 0;
  let inFlight = 0;
  /** Since when the oldest row of each group waits that is being written. */
  const sending = new Map<pg.Client, number>();
  let stopping = false;
  let stopped = false;
  let failures = 0;
  const idle: pg.Client[] = [];
  let open = 0;
  let scheduled = false;
  let patience: Timer | undefined;
  let whenEmpty: (() => void) | undefined;

  const schedule = () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      pump();
    });
  };

  function pump() {
    if (stopped) return;
    while (queue.length > 0 && open < options.connections) void connect();
    while (queue.length > 0 && idle.length > 0 && !gathers()) void flush(idle.pop() as pg.Client, takeGroup());
    if (queue.length === 0 && inFlight === 0) whenEmpty?.();
  }

  /** While many rows are being written, more come soon: one large group costs less than two that are half as large. */
  function gathers(): boolean {
    if (inFlight < options.gatherFrom || queue.length >= options.maxRows) return false;
    if (clock.monotonic() - oldest() > gatherWithin) return false;
    patience ??= clock.after(gatherWithin, () => {
      patience = undefined;
      schedule();
    });
    return true;
  }

  async function connect() {
    open += 1;
    try {
      if (failures > 0) await clock.sleep(reconnectAfter[Math.min(failures, reconnectAfter.length) - 1] as number);
      const client = await options.connect();
      client.once('end', () => {
        const at = idle.indexOf(client);
        if (at < 0) return;
        idle.splice(at, 1);
        open -= 1;
      });
      keep(client);
    } catch (error) {
      failures += 1;
      open -= 1;
      if (failures === 1)
        log.warn('The journal cannot reach the database; rows wait', { waiting: queue.length, error });
    }
    schedule();
  }

  function keep(client: pg.Client) {
    if (stopped) client.end().catch(() => undefined);
    else idle.push(client);
  }

  function takeGroup(): Entry<Row>[] {
    let rows = 0;
    let bytes = 0;
    while (rows < queue.length && rows < options.maxRows) {
      const next = queue[rows] as Entry<Row>;
      if (rows > 0 && bytes + next.bytes > options.maxBytes) break;
      bytes += next.bytes;
      rows += 1;
    }
    const group = rows === queue.length ? queue : queue.slice(0, rows);
    queue = rows === queue.length ? [] : queue.slice(rows);
    queuedBytes -= bytes;
    inFlight += rows;
    for (const entry of group) entry.sent = true;
    return group;
  }

  async function flush(client: pg.Client, group: Entry<Row>[]) {
    sending.set(client, (group[0] as Entry<Row>).at);
    try {
      await writeAll(client, group);
      // Not after connecting: a database that takes connections may still refuse every row.
      failures = 0;
      keep(client);
    } catch (error) {
      // Not known whether it was committed; the write is safe to repeat.
      log.warn('The journal lost its connection; the group is written again', { rows: group.length, error });
      failures += 1;
      open -= 1;
      client.end().catch(() => undefined);
      const left = group.filter((entry) => !entry.done);
      for (const entry of left) queuedBytes += entry.bytes;
      queue = [...left, ...queue];
    }
    sending.delete(client);
    inFlight -= group.length;
    schedule();
  }

  /** Throws whatever is not the fault of a row; a row that can never be written is found by halving and set aside. */
  async function writeAll(client: pg.Client, group: Entry<Row>[]): Promise<void> {
    try {
      await options.write(
        client,
        group.map((entry) => entry.row),
      );
      for (const entry of group) {
        entry.done = true;
        entry.resolve();
      }
    } catch (error) {
      if (!isRefusedRow(error)) throw error;
      if (group.length > 1) {
        const middle = group.length >> 1;
        await writeAll(client, group.slice(0, middle));
        return writeAll(client, group.slice(middle));
      }
      const [entry] = group as [Entry<Row>];
      const reason = (error as Error).message;
      log.error('A row cannot be written and was set aside', { reason });
      await options.quarantine(client, entry.row, reason).catch((failure: unknown) => {
        if (isTransient(failure)) throw failure;
        log.error('A row could not even be set aside', { error: failure });
      });
      entry.done = true;
      entry.reject(
        new AppError(
          'unrecorded',
          'This run could not be recorded and was set aside for the operator.',
          {},
          { cause: error },
        ),
      );
    }
  }

  function replace(entry: Entry<Row>, row: Row): boolean {
    if (entry.sent) return false;
    const bytes = options.bytesOf(row);
    queuedBytes += bytes - entry.bytes;
    entry.bytes = bytes;
    entry.row = row;
    return true;
  }

  function oldest(): number {
    let since = queue[0]?.at ?? Number.POSITIVE_INFINITY;
    for (const at of sending.values()) if (at < since) since = at;
    return since;
  }

  return {
    write(row) {
      const entry = new Entry(row, options.bytesOf(row), clock.monotonic(), replace);
      queue.push(entry);
      queuedBytes += entry.bytes;
      schedule();
      return entry;
    },
    admit() {
      if (stopping)
        throw new AppError('unavailable', 'The platform is stopping. Try again in a moment.', { retryAfterSeconds: 2 });
      if (queue.length >= options.queueRows || queuedBytes >= options.queueBytes) {
        throw new AppError(
          'overloaded',
          'More runs wait to be recorded than the platform keeps. Try again in a second.',
          { retryAfterSeconds: 1 },
        );
      }
      if (clock.monotonic() - oldest() > options.lateAfter) {
        throw new AppError('unavailable', 'Runs cannot be recorded now, so none is started. Try again in a moment.', {
          retryAfterSeconds: 2,
        });
      }
    },
    get waiting() {
      return queue.length + inFlight;
    },
    async stop(milliseconds) {
      stopping = true;
      if (queue.length > 0 || inFlight > 0) {
        const emptied = new Promise<void>((resolve) => {
          whenEmpty = resolve;
        });
        pump();
        await Promise.race([emptied, clock.sleep(milliseconds)]);
      }
      const left = queue.length + inFlight;
      stopped = true;
      patience?.cancel();
      await Promise.all(idle.splice(0).map((client) => client.end().catch(() => undefined)));
      return left;
    },
  };
}
