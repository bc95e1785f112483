import type { Database, Transaction } from './database/database.ts';
import { digestOf } from './state-digest.ts';
import type { SubjectStates } from './trail.ts';

/** Something that is not what the audit log said last. */
export interface HandChange {
  readonly subject: string;
  /** `changed`, `added` without an entry, or `removed` without one. */
  readonly what: 'changed' | 'added' | 'removed';
  /** What the log said last, and what it is. */
  readonly audited: string | null;
  readonly found: string | null;
}

/** More are counted by nobody: somebody restores a backup then. */
const mostTold = 1_000;

/**
 * Holds what a service keeps of a workspace against the last digests in its audit table: in one snapshot, so that no change
 * under way is taken for one by hand. Rows of older versions have no digests, and what only they tell of is passed over.
 */
export function findHandChanges(
  database: Database,
  service: string,
  workspace: string,
  states: SubjectStates,
): Promise<HandChange[]> {
  return database.transaction({ role: service, workspace }, async (transaction) => {
    await transaction.query('set transaction isolation level repeatable read');
    const current = new Map((await states.list(transaction)).map(({ subject, state }) => [subject, digestOf(state)]));
    const audited = await readAudited(transaction, service, states.kinds);
    const found: HandChange[] = [];
    for (const [subject, digest] of current) {
      const known = audited.get(subject);
      if (known === digest || known === 'old') continue;
      const what = known === undefined || known === null ? 'added' : 'changed';
      found.push({ subject, what, audited: known ?? null, found: digest });
    }
    for (const [subject, known] of audited) {
      if (known === null || known === 'old' || current.has(subject)) continue;
      found.push({ subject, what: 'removed', audited: known, found: null });
    }
    return found.slice(0, mostTold);
  });
}

/** The last digest of each subject; null when it was gone then, `old` when the row is of a version that took none. */
async function readAudited(transaction: Transaction, service: string, kinds: readonly string[]) {
  const all = new Map<string, string | null>();
  for (const kind of kinds) {
    const rows = await transaction.query<{ subject: string; after: string | null; old: boolean }>(
      `select distinct on (subject) subject, after, auth is null as old from ${service}.audit
        where (subject = $1 or starts_with(subject, $1 || '/')) and outcome = 'done' order by subject, xact desc, id desc`,
      [kind],
    );
    for (const { subject, after, old } of rows) all.set(subject, old ? 'old' : after);
  }
  return all;
}
