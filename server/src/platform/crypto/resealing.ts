import type { Clock, Timer } from '../clock.ts';
import type { Database, Transaction } from '../database/database.ts';
import type { Log } from '../log.ts';
import { bumpTopic } from '../topic.ts';
import { keyLifetime, type Vault } from '../vault.ts';
import { dataKeysTopic, readOlderVersions } from './data-key-store.ts';
import {
  addResealing,
  endPass,
  findRotations,
  noteStep,
  type OpenRotation,
  putRows,
  readPage,
  readResealings,
  type SeenRow,
  takeRotation,
  takeRows,
} from './resealing-store.ts';
import { placeName, type SealedColumn } from './sealed-column.ts';

export interface ResealingOptions {
  readonly database: Pick<Database, 'transaction'>;
  readonly vault: Vault;
  readonly columns: readonly SealedColumn[];
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /**
   * Milliseconds after which no process seals with an older version any more: they hold keys for a bounded time, and what
   * was sealed is committed soon after.
   */
  readonly settleMs?: number;
  /** How many times as long as it worked it rests. */
  readonly rest?: number;
}

export const standardSettleMs = keyLifetime + 300_000;
const lookEvery = 2_000;
const rowsSeenAtOnce = 1_000;
const rowsAtOnce = 100;
const bytesAtOnce = 1024 * 1024;
const standardRest = 5;
const longestRest = 5_000;
// A step this many times as slow as usual: others wait for the same disk or processor.
const slowFactor = 3;

/** Seals anew what older data keys sealed, in small steps, while the platform serves. One process at a time does it for a workspace. */
export function startResealing(options: ResealingOptions): { stop(): Promise<void> } {
  const { database, clock, log, rest = standardRest } = options;
  let stopped = false;
  let timer: Timer | undefined;
  let usual = 0;
  let failing = false;

  const restAfter = (workedMs: number) => {
    const slow = usual > 0 && workedMs > usual * slowFactor + 20;
    usual = usual === 0 ? workedMs : usual * 0.9 + workedMs * 0.1;
    return Math.min(longestRest, workedMs * rest * (slow ? slowFactor : 1));
  };

  async function work(rotation: OpenRotation) {
    for (let pause = 0; !stopped; ) {
      const begun = clock.monotonic();
      const outcome = await step(options, rotation, pause);
      if (outcome !== 'more') {
        if (outcome === 'finished') log.info('A data key was replaced everywhere', { workspace: rotation.workspace });
        return;
      }
      pause = restAfter(clock.monotonic() - begun);
      await clock.sleep(pause);
    }
  }

  async function look() {
    let failure: unknown;
    const failed = (error: unknown) => {
      failure ??= error;
    };
    const rotations = await findRotations(database, 10).catch(failed);
    // What hinders one workspace must not hold up the others.
    for (const rotation of rotations ?? []) if (!stopped) await work(rotation).catch(failed);
    if (failure && !failing) {
      log.warn('Sealing anew with a new data key does not go on; it is tried again', { error: failure });
    }
    failing = failure !== undefined;
  }

  let running: Promise<void> = Promise.resolve();
  const next = () => {
    timer = clock.after(lookEvery, () => {
      running = look().then(() => (stopped ? undefined : next()));
    });
  };
  next();
  return {
    async stop() {
      stopped = true;
      timer?.cancel();
      await running;
    },
  };
}

type Outcome = 'more' | 'busy' | 'passed' | 'finished';

/** One transaction: some rows of one column, or the end of a pass. `pausedMs` went before it. */
export async function step(options: ResealingOptions, rotation: OpenRotation, pausedMs = 0): Promise<Outcome> {
  const { database, vault, columns, clock, log, settleMs = standardSettleMs } = options;
  const { workspace } = rotation;
  if ((await vault.newestVersion(workspace)) < rotation.version) await vault.follow();
  // Before the transaction, which must wait for nobody else.
  const readable = await openOlder(options, rotation);
  const begun = clock.monotonic();
  return database.transaction({ role: 'sealer', workspace }, async (transaction): Promise<Outcome> => {
    if (!(await takeRotation(transaction, rotation))) return 'busy';
    const known = new Map((await readResealings(transaction, rotation)).map((one) => [one.place, one]));
    const fresh = columns.find((column) => !known.has(placeName(column)));
    if (fresh) {
      await addResealing(transaction, rotation, fresh);
      return 'more';
    }
    const column = columns.find((one) => known.get(placeName(one))?.done === false);
    if (!column) {
      const { finished, failed } = await endPass(transaction, rotation, settleMs);
      if (failed > 0) log.warn('Some sealed values do not open, and stay as they are', { workspace, values: failed });
      if (finished) await bumpTopic(transaction, dataKeysTopic);
      return finished ? 'finished' : 'passed';
    }
    const after = known.get(placeName(column))?.position ?? null;
    const seen = await readPage(transaction, column, after, rowsSeenAtOnce);
    const { covered, stale } = choose(seen, rotation.version);
    const counts =
      stale.length === 0 ? nothing : await resealRows(transaction, options, rotation, column, stale, readable);
    if (counts.resealed > 0 && column.topic) await bumpTopic(transaction, column.topic);
    await noteStep(transaction, rotation, placeName(column), {
      ...counts,
      position: covered.at(-1)?.key ?? null,
      done: covered.length === seen.length && seen.length < rowsSeenAtOnce,
      seen: covered.length,
      spentMs: clock.monotonic() - begun + pausedMs,
    });
    return 'more';
  });
}

const nothing = { resealed: 0, skipped: 0, failed: 0 };

/** Rows up to the one with which a step has enough to do, and those of them that an older version sealed. */
function choose(seen: readonly SeenRow[], newest: number): { covered: readonly SeenRow[]; stale: readonly SeenRow[] } {
  const stale: SeenRow[] = [];
  let bytes = 0;
  for (const [at, row] of seen.entries()) {
    if (row.version >= newest) continue;
    if (stale.length === rowsAtOnce || (bytes > 0 && bytes + row.bytes > bytesAtOnce)) {
      return { covered: seen.slice(0, at), stale };
    }
    stale.push(row);
    bytes += row.bytes;
  }
  return { covered: seen, stale };
}

async function resealRows(
  transaction: Transaction,
  { vault, log }: ResealingOptions,
  { workspace }: OpenRotation,
  column: SealedColumn,
  stale: readonly SeenRow[],
  readable: ReadonlySet<number>,
) {
  const open = stale.filter(({ version }) => readable.has(version));
  const taken =
    open.length === 0
      ? []
      : await takeRows(
          transaction,
          column,
          open.map(({ key }) => key),
        );
  const done: { key: readonly string[]; sealed: Buffer }[] = [];
  let failed = stale.length - open.length;
  for (const { key, fields, sealed } of taken) {
    try {
      const anew = await vault.reseal(workspace, column.place(fields), sealed);
      if (anew) done.push({ key, sealed: anew });
    } catch (error) {
      failed += 1;
      log.warn('A sealed value does not open where it is', {
        workspace,
        place: placeName(column),
        row: key.join(' '),
        error,
      });
    }
  }
  if (done.length > 0) await putRows(transaction, column, done);
  return { resealed: done.length, skipped: open.length - taken.length, failed };
}

/** Older versions that are there and open, in memory from now on. Throws when a keeper is away, which is no loss. */
async function openOlder({ database, vault }: ResealingOptions, { workspace, version }: OpenRotation) {
  const readable = new Set<number>();
  for (const older of await readOlderVersions(database, workspace, version)) {
    if (await vault.holdVersion(workspace, older)) readable.add(older);
  }
  return readable;
}
