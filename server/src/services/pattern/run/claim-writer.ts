import type { Database, Transaction } from '#platform/database/database.ts';
import type { Enqueued } from '../queue/task-record.ts';
import { insertTasks } from '../queue/task-store.ts';
import { type ClaimOwner, type ClaimRow, insertClaims, readClaims } from './claim-store.ts';
import type { AcceptedRow } from './record.ts';
import { insertAccepted } from './store.ts';

export interface ClaimWriter {
  /**
   * Commits the claim together with the acceptance. Answers who has the key already, or undefined when it was free. Throws
   * `ClaimFailed` when that is not known.
   */
  claim(claim: ClaimRow, row: AcceptedRow, queued?: Enqueued): Promise<ClaimOwner | undefined>;
}

/** The database did not tell. `asked`: it may have committed nevertheless. */
export class ClaimFailed extends Error {
  readonly asked: boolean;

  constructor(asked: boolean, cause: unknown) {
    super('A key could not be claimed', { cause });
    this.asked = asked;
  }
}

interface Entry {
  readonly claim: ClaimRow;
  readonly row: AcceptedRow;
  /** The same with its work, for a run that is queued. */
  readonly queued: Enqueued | undefined;
  readonly resolve: (owner: ClaimOwner | undefined) => void;
  readonly reject: (error: ClaimFailed) => void;
}

const mostRows = 64;

/** Claims of a workspace that come while one group is written form the next, so that they share its commit. */
export function createClaimWriter(database: Pick<Database, 'transaction'>): ClaimWriter {
  const waiting = new Map<string, Entry[]>();

  async function write(workspace: string) {
    for (let group = take(workspace); group; group = take(workspace)) await settle(workspace, group);
    waiting.delete(workspace);
  }

  function take(workspace: string): Entry[] | undefined {
    const queue = waiting.get(workspace);
    return queue && queue.length > 0 ? queue.splice(0, mostRows) : undefined;
  }

  async function settle(workspace: string, group: Entry[]): Promise<void> {
    let asked = false;
    try {
      const owners = await database.transaction({ role: 'pattern', workspace }, (transaction) => {
        asked = true;
        return claimAll(transaction, group);
      });
      for (const [at, { resolve }] of group.entries()) resolve(owners[at]);
    } catch (error) {
      if (group.length === 1 || !asked) for (const { reject } of group) reject(new ClaimFailed(asked, error));
      // One of them may be what the database refuses; the others must not suffer for it.
      else for (const entry of group) await settle(workspace, [entry]);
    }
  }

  return {
    claim: (claim, row, queued) =>
      new Promise((resolve, reject) => {
        const entry = { claim, row, queued, resolve, reject };
        const queue = waiting.get(claim.workspace);
        if (queue) {
          queue.push(entry);
          return;
        }
        waiting.set(claim.workspace, [entry]);
        void write(claim.workspace);
      }),
  };
}

async function claimAll(transaction: Transaction, group: readonly Entry[]): Promise<(ClaimOwner | undefined)[]> {
  const won = await insertClaims(
    transaction,
    group.map(({ claim }) => claim),
  );
  const accepted = group.filter(({ row }) => won.has(row.id));
  const waited = accepted.flatMap(({ row, queued }) => (queued ? [] : [row]));
  if (waited.length > 0) await insertAccepted(transaction, waited);
  await insertTasks(
    transaction,
    accepted.flatMap(({ queued }) => queued ?? []),
  );
  const lost = group.filter(({ row }) => !won.has(row.id)).map(({ claim }) => claim);
  const owners = lost.length === 0 ? new Map<ClaimRow, ClaimOwner>() : await readClaims(transaction, lost);
  return group.map(({ claim }) => owners.get(claim));
}
