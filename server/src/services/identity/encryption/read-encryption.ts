import type { DataKeyRotation, encryptionOperations } from '@damask/contracts/encryption.ts';
import type { OutputOf } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { findRotation, listVersions, type RotationRow } from '#platform/crypto/encryption-store.ts';
import { standardSettleMs } from '#platform/crypto/resealing.ts';
import type { IdentityParts } from '../identity-parts.ts';

/** Milliseconds after which a data key should be replaced. */
const dueAfter = 90 * 86_400_000;

export async function readEncryption(
  { database, vault, keys, clock }: IdentityParts,
  { workspace }: CallContext,
): Promise<OutputOf<typeof encryptionOperations.readEncryption>> {
  // A workspace that sealed nothing yet gets its key now; one that was shredded says so.
  await vault.ready(workspace);
  const { versions, rotation } = await database.transaction({ role: 'identity', workspace }, async (transaction) => ({
    versions: await listVersions(transaction),
    rotation: await findRotation(transaction),
  }));
  const newest = versions[0]?.created_at;
  const key = await keys.current();
  const healthy = (await key.health()) === null;
  const facts = healthy ? await key.describe().catch(() => null) : null;
  return {
    key: { source: key.source, id: key.id, version: facts?.version ?? null, healthy },
    versions: versions.map(({ version, kek, created_at }) => ({
      version,
      wrapped_by: kek,
      created_at: created_at.toISOString(),
    })),
    due_at: newest ? new Date(newest.getTime() + dueAfter).toISOString() : null,
    rotation: rotation ? describeRotation(rotation, clock) : null,
  };
}

function describeRotation(row: RotationRow, clock: Clock): DataKeyRotation {
  const { version, pass, started_at, finished_at, waits, rows, seen, failed, spent_ms } = row;
  const rate = spent_ms > 0 && seen > 0 ? (seen * 1_000) / spent_ms : null;
  const left = finished_at || waits ? 0 : Math.max(0, rows - seen);
  const settled = started_at.getTime() + standardSettleMs;
  const ends =
    waits || rate !== null ? Math.max(settled, clock.now() + (rate === null ? 0 : (left / rate) * 1_000)) : null;
  return {
    version,
    state: finished_at ? 'finished' : waits ? 'waiting' : 'running',
    pass,
    started_at: started_at.toISOString(),
    finished_at: finished_at?.toISOString() ?? null,
    rows,
    rows_left: left,
    rows_failed: failed,
    rows_per_second: rate === null ? null : Math.round(rate * 10) / 10,
    ends_at: finished_at || ends === null ? null : new Date(ends).toISOString(),
  };
}
