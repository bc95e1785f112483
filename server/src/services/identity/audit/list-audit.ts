import type { auditOperations } from '@damask/contracts/audit.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import { countUnsealed } from '#platform/unsealed-audit.ts';
import { type AuditParts, asPlatform } from './audit-parts.ts';
import { toEntry } from './chain-entry.ts';
import * as store from './chain-store.ts';
import { listCheckpoints } from './checkpoint-store.ts';
import { requireWholeLog } from './require-whole-log.ts';

type ListAudit = typeof auditOperations.listAudit;

const mostWaiting = 1_000;

export async function listAudit(
  parts: AuditParts,
  context: CallContext,
  { limit = 50, cursor, ...filter }: InputOf<ListAudit>,
): Promise<OutputOf<ListAudit>> {
  const { database, cursors, auditSources } = parts;
  const { workspace } = context;
  requireWholeLog(context);
  const list = { list: 'listAudit', workspace, filter: JSON.stringify(Object.entries(filter).sort()) };
  const [before = null] = cursor === undefined ? [] : cursors.decode(list, cursor);
  const { rows, state, signed } = await database.transaction({ role: 'identity', workspace }, async (transaction) => ({
    rows: await store.listEntries(transaction, filter, { before, limit: limit + 1 }),
    state: await store.readSealedState(transaction),
    signed: (await listCheckpoints(transaction, { before: [], limit: 1 }))[0],
  }));
  const waiting = await asPlatform(parts, (transaction) =>
    countUnsealed(transaction, auditSources, workspace, mostWaiting),
  );
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(toEntry),
    ...(rows.length > limit && last ? { next: cursors.encode(list, [String(last.seq)]) } : {}),
    sealed: state ? { seq: state.seq, at: state.sealed_at.toISOString() } : null,
    checkpoint: signed ? { seq: Number(signed.seq), at: (JSON.parse(signed.body) as { at: string }).at } : null,
    waiting,
  };
}
