import type pg from 'pg';
import type { Clock } from '#platform/clock.ts';
import { createGroupCommit } from '#platform/group-commit.ts';
import type { Log } from '#platform/log.ts';
import type { Held, StepRecord } from '../engine/ports.ts';
import type { FinishedRow } from '../run/record.ts';
import type { Enqueued, TaskChange, TaskEnd } from './task-record.ts';
import { acceptTasks, changeTasks, endTasks, findEnds, keyOfTask, quarantineRun } from './task-store.ts';

/** Writes queued work: what many ask for at the same time shares a commit. */
export interface TaskWriter {
  /** Throws when no work can be accepted now. */
  admit(): void;
  /** Resolves when the run is accepted and queued; rejects with `unrecorded` when the database does not take it. */
  accept(enqueued: Enqueued): Promise<void>;
  change(change: TaskChange): Promise<Held>;
  end(end: TaskEnd): Promise<Held>;
  readonly waiting: number;
  /** Writes what waits, for at most `milliseconds`. Answers how many rows were left. */
  stop(milliseconds: number): Promise<number>;
}

/** Something to be written, with its result and whether it was sent before. */
interface Entry<Row> {
  readonly row: Row;
  readonly key: string;
  result: Held;
  sent: boolean;
}

/** What a row costs beside its payload, roughly. */
const rowBytes = 900;

/** Keeps the records of these runs' steps, in the transaction that changes their work. */
export type KeepSteps = (client: pg.Client, runs: readonly SteppedRun[]) => Promise<void>;

export interface SteppedRun {
  readonly workspace: string;
  readonly id: string;
  readonly done: readonly StepRecord[];
  /** It is given back until somebody decides. */
  readonly waits: boolean;
}

export function createTaskWriter(options: {
  connect: () => Promise<pg.Client>;
  keepSteps: KeepSteps;
  clock: Clock;
  log: Log;
}): TaskWriter {
  const { keepSteps, ...rest } = options;
  const shared = {
    ...rest,
    maxRows: 256,
    gatherFrom: 4,
    maxBytes: 8 * 1024 * 1024,
    queueRows: 20_000,
    queueBytes: 256 * 1024 * 1024,
    lateAfter: 1_000,
  };
  const accepts = createGroupCommit<Enqueued>({
    ...shared,
    connections: 1,
    write: acceptTasks,
    quarantine: (client, { row }, reason) => quarantineRun(client, row, reason),
    bytesOf: ({ task }) => rowBytes + task.request.length,
  });
  const changes = createGroupCommit<Entry<TaskChange>>({
    ...shared,
    connections: 1,
    write: (client, group) =>
      inRounds(group, (round) => {
        const runs = round
          .filter(({ row }) => row.done.length > 0 || row.state === 'waiting')
          .map(({ row: { claim, done, state } }) => ({ ...claim, done, waits: state === 'waiting' }));
        return withSteps(client, keepSteps, runs, async () =>
          settle(round, await changeTasks(client, round.map(toRow))),
        );
      }),
    quarantine: async () => undefined,
    bytesOf: ({ row: { done } }) => done.reduce((bytes, { output }) => bytes + (output?.length ?? 0), rowBytes),
  });
  const ends = createGroupCommit<Entry<TaskEnd>>({
    ...shared,
    connections: 2,
    write: (client, group) =>
      inRounds(group, (round) => {
        const runs = round
          .filter(({ row }) => row.done.length > 0)
          .map(({ row: { row, done } }) => ({ ...row, done, waits: false }));
        return withSteps(client, keepSteps, runs, () => writeEnds(client, round));
      }),
    quarantine: quarantineEnd,
    bytesOf: ({ row }) => rowBytes + (row.payload?.length ?? 0),
  });
  const groups = [accepts, changes, ends];
  return {
    admit() {
      for (const group of groups) group.admit();
    },
    accept: (enqueued) => accepts.write(enqueued).committed,
    async change(row) {
      const entry = toEntry(row, row.claim);
      await changes.write(entry).committed;
      return entry.result;
    },
    async end(row) {
      const entry = toEntry(row, row.row);
      await ends.write(entry).committed;
      return entry.result;
    },
    get waiting() {
      return groups.reduce((sum, { waiting }) => sum + waiting, 0);
    },
    async stop(milliseconds) {
      const left = await Promise.all(groups.map((group) => group.stop(milliseconds)));
      return left.reduce((sum, rows) => sum + rows, 0);
    },
  };
}

function toEntry<Row>(row: Row, { workspace, id }: { workspace: string; id: string }): Entry<Row> {
  return { row, key: keyOfTask(workspace, id), result: 'lost', sent: false };
}

const toRow = <Row>({ row }: Entry<Row>) => row;

/** A statement changes a row once: what is asked of the same run twice is written one after the other. */
async function inRounds<Row>(
  group: readonly Entry<Row>[],
  write: (round: readonly Entry<Row>[]) => Promise<void>,
): Promise<void> {
  for (let rest = group; rest.length > 0; ) {
    const keys = new Set<string>();
    const round: Entry<Row>[] = [];
    const later: Entry<Row>[] = [];
    for (const entry of rest) {
      if (keys.has(entry.key)) later.push(entry);
      else round.push(entry);
      keys.add(entry.key);
    }
    await write(round);
    rest = later;
  }
}

/** Runs without steps, which are most, need no transaction of several statements. */
async function withSteps(
  client: pg.Client,
  keepSteps: KeepSteps,
  runs: readonly SteppedRun[],
  write: () => Promise<ReadonlySet<string>>,
): Promise<void> {
  if (runs.length === 0) {
    await write();
    return;
  }
  await client.query('begin');
  try {
    const held = await write();
    const kept = runs.filter(({ workspace, id }) => held.has(keyOfTask(workspace, id)));
    if (kept.length > 0) await keepSteps(client, kept);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

function settle<Row>(round: readonly Entry<Row>[], held: ReadonlySet<string>): ReadonlySet<string> {
  for (const entry of round) entry.result = held.has(entry.key) ? 'held' : 'lost';
  return held;
}

async function writeEnds(client: pg.Client, round: readonly Entry<TaskEnd>[]): Promise<ReadonlySet<string>> {
  const again = round.filter(({ sent }) => sent);
  for (const entry of round) entry.sent = true;
  const held = settle(round, await endTasks(client, round.map(toRow)));
  const unsure = again.filter(({ result }) => result === 'lost');
  // Its reply was lost, and the commit was not.
  if (unsure.length > 0) settle(unsure, await findEnds(client, unsure.map(toRow)));
  return held;
}

/** An end that the tables refuse: one without its texts is put in its place, so that no run stays open. */
async function quarantineEnd(client: pg.Client, entry: Entry<TaskEnd>, reason: string): Promise<void> {
  const { row } = entry.row;
  await quarantineRun(client, row, reason);
  const plain: FinishedRow = {
    ...row,
    status: 'failed',
    metadata: {},
    stop_reason: null,
    error_code: 'unrecorded',
    error_detail: 'The record of this run could not be written and was set aside for the operator.',
  };
  await endTasks(client, [{ ...entry.row, row: plain, payload: null, done: [] }]);
}
