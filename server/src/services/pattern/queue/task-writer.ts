import type pg from 'pg';
import type { Clock } from '#platform/clock.ts';
import { createGroupCommit } from '#platform/group-commit.ts';
import type { Log } from '#platform/log.ts';
import type { Held, StepRecord } from '../engine/ports.ts';
import type { KeptSteps } from '../engine/step-store.ts';
import type { FinishedRow } from '../run/record.ts';
import type { Enqueued, TaskChange, TaskEnd } from './task-record.ts';
import { acceptTasks, findEnds, goByIndexes, keyOfTask, quarantineRun, writeTasks } from './task-store.ts';

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
interface Entry {
  readonly act: { readonly change: TaskChange } | { readonly end: TaskEnd };
  readonly key: string;
  readonly bytes: number;
  result: Held;
  sent: boolean;
}

/** What a row costs beside its payload, roughly. */
const rowBytes = 900;

/** Seals the records of these runs' steps, for the statement that changes their work. */
export type PackSteps = (runs: readonly KeptSteps[]) => Promise<unknown[]>;

export function createTaskWriter(options: {
  connect: () => Promise<pg.Client>;
  packSteps: PackSteps;
  clock: Clock;
  log: Log;
}): TaskWriter {
  const { packSteps, ...rest } = options;
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
  const acts = createGroupCommit<Entry>({
    ...shared,
    connect: async () => goByIndexes(await options.connect()),
    connections: 2,
    write: (client, group) => inRounds(group, (round) => writeRound(client, packSteps, round)),
    quarantine: quarantineEnd,
    bytesOf: ({ bytes }) => bytes,
  });
  const write = async (act: Entry['act'], { workspace, id }: { workspace: string; id: string }, bytes: number) => {
    const entry: Entry = { act, key: keyOfTask(workspace, id), bytes, result: 'lost', sent: false };
    await acts.write(entry).committed;
    return entry.result;
  };
  const groups = [accepts, acts];
  return {
    admit() {
      for (const group of groups) group.admit();
    },
    accept: (enqueued) => accepts.write(enqueued).committed,
    change: (change) => write({ change }, change.claim, sizeOf(change.done)),
    end: (end) => write({ end }, end.row, sizeOf(end.done) + (end.payload?.length ?? 0)),
    get waiting() {
      return groups.reduce((sum, { waiting }) => sum + waiting, 0);
    },
    async stop(milliseconds) {
      const left = await Promise.all(groups.map((group) => group.stop(milliseconds)));
      return left.reduce((sum, rows) => sum + rows, 0);
    },
  };
}

const sizeOf = (done: readonly StepRecord[]) =>
  done.reduce((bytes, { output }) => bytes + (output?.length ?? 0), rowBytes);

/** A statement changes a row once: what is asked of the same run twice is written one after the other. */
async function inRounds(group: readonly Entry[], write: (round: readonly Entry[]) => Promise<void>): Promise<void> {
  for (let rest = group; rest.length > 0; ) {
    const keys = new Set<string>();
    const round: Entry[] = [];
    const later: Entry[] = [];
    for (const entry of rest) {
      if (keys.has(entry.key)) later.push(entry);
      else round.push(entry);
      keys.add(entry.key);
    }
    await write(round);
    rest = later;
  }
}

async function writeRound(client: pg.Client, packSteps: PackSteps, round: readonly Entry[]): Promise<void> {
  const again = round.filter(({ sent }) => sent);
  for (const entry of round) entry.sent = true;
  const changes = round.flatMap(({ act }) => ('change' in act ? act.change : []));
  const ends = round.flatMap(({ act }) => ('end' in act ? act.end : []));
  const stepped: KeptSteps[] = [
    ...changes.map(({ claim: { workspace, id }, done }) => ({ workspace, id, done })),
    ...ends.map(({ row: { workspace, id, texts }, done }) => ({
      workspace,
      id,
      done,
      forgets: texts === 'not_stored',
    })),
  ].filter(({ done }) => done.length > 0);
  const steps = stepped.length > 0 ? await packSteps(stepped) : [];
  const held = await writeTasks(client, changes, ends, steps);
  for (const entry of round) entry.result = held.has(entry.key) ? 'held' : 'lost';
  // Its reply was lost, and the commit was not.
  const unsure = again.filter(({ result }) => result === 'lost');
  const endsUnsure = unsure.flatMap(({ act }) => ('end' in act ? act.end : []));
  if (endsUnsure.length === 0) return;
  const kept = await findEnds(client, endsUnsure);
  for (const entry of unsure) if ('end' in entry.act && kept.has(entry.key)) entry.result = 'held';
}

/** An end that the tables refuse: one without its texts is put in its place, so that no run stays open. */
async function quarantineEnd(client: pg.Client, { act }: Entry, reason: string): Promise<void> {
  if (!('end' in act)) return;
  const { row } = act.end;
  await quarantineRun(client, row, reason);
  const plain: FinishedRow = {
    ...row,
    status: 'failed',
    metadata: {},
    stop_reason: null,
    error_code: 'unrecorded',
    error_detail: 'The record of this run could not be written and was set aside for the operator.',
  };
  await writeTasks(client, [], [{ ...act.end, row: plain, payload: null, done: [] }], []);
}
