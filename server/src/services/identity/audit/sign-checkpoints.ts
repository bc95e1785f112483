import { hash } from 'node:crypto';
import { canonicalJson } from '#platform/canonical-json.ts';
import type { Clock } from '#platform/clock.ts';
import type { SigningKeys } from '#platform/crypto/signing-keys.ts';
import type { Database } from '#platform/database/database.ts';
import type { AuditKeys } from './audit-keys.ts';
import { asPlatform, tryLock } from './audit-parts.ts';
import { readHeads } from './chain-store.ts';
import type { CheckpointFolder, SignedLine } from './checkpoint-folder.ts';
import * as store from './checkpoint-store.ts';

export interface SignParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly keys: AuditKeys;
  readonly folder: CheckpointFolder;
}

/** A checkpoint is due after so many entries, or so long after the first that none covers. */
const entriesAtMost = 1_000;
const withinMs = 60_000;
/** How often a chain that grows is counted outside in between: what is cut off behind a checkpoint is missed by this. */
const countEvery = 10_000;
/** A signature takes 50 microseconds. */
const chainsAtOnce = 50;

/**
 * Signs what is due and writes it outside, to the disk, before the database hears of it: a crash in between leaves one
 * line more than rows, never one less. Answers how many lines it wrote, null when another process is at it.
 */
export function signCheckpoints({ database, clock, keys, folder }: SignParts): Promise<number | null> {
  return asPlatform({ database }, async (transaction) => {
    if (!(await tryLock(transaction, 'sign'))) return null;
    const now = clock.now();
    const due = { entries: entriesAtMost, before: now - withinMs, limit: chainsAtOnce };
    const unsigned = await store.listUnsigned(transaction, due);
    const uncounted = await store.listUncounted(transaction, { before: now - countEvery, limit: chainsAtOnce });
    if (unsigned.length + uncounted.length === 0) return 0;
    const signing = await keys.read();
    const at = new Date(clock.now()).toISOString();
    const heads = await readHeads(
      transaction,
      unsigned.map(({ workspace }) => workspace),
    );
    const lines: SignedLine[] = [];
    const signed: store.NewCheckpoint[] = [];
    for (const { workspace, seq: counted } of unsigned) {
      const head = heads.get(workspace);
      // Somebody cut it off. A signature now would vouch for the rest.
      if (!head || head.seq < counted) continue;
      const last = await store.readLastBody(transaction, workspace);
      const { seq } = head;
      const previous = last === undefined ? null : hash('sha256', last);
      const line = signLine(signing, {
        kind: 'checkpoint',
        workspace,
        seq,
        hash: head.hash.toString('hex'),
        at,
        previous,
      });
      lines.push(line);
      signed.push({ ...line, workspace, seq, id: clock.uuid() });
    }
    const counted = uncounted.filter(({ workspace }) => !signed.some((one) => one.workspace === workspace));
    for (const { workspace, seq } of counted) lines.push(signLine(signing, { kind: 'heartbeat', workspace, seq, at }));
    await folder.writeKeys(signing.list);
    if (lines.length > 0) await folder.append(lines, now);
    for (const checkpoint of signed) {
      await store.insertCheckpoint(transaction, checkpoint);
      await store.markSigned(transaction, checkpoint, now);
    }
    for (const head of counted) await store.markCounted(transaction, head, now);
    return lines.length;
  });
}

function signLine({ current }: SigningKeys, content: object): SignedLine {
  const body = canonicalJson(content);
  return { body, key: current.id, signature: current.sign(body) };
}
