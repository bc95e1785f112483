import type { auditOperations } from '@damask/contracts/audit.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import type { AuditParts } from './audit-parts.ts';
import * as store from './checkpoint-store.ts';
import { requireWholeLog } from './require-whole-log.ts';

type ListCheckpoints = typeof auditOperations.listAuditCheckpoints;

export async function listAuditCheckpoints(
  { database, cursors, auditKeys }: AuditParts,
  context: CallContext,
  { limit = 50, cursor }: InputOf<ListCheckpoints>,
): Promise<OutputOf<ListCheckpoints>> {
  const { workspace } = context;
  requireWholeLog(context);
  const list = { list: 'listAuditCheckpoints', workspace };
  const before = cursor === undefined ? [] : cursors.decode(list, cursor);
  const rows = await database.transaction({ role: 'identity', workspace }, (transaction) =>
    store.listCheckpoints(transaction, { before, limit: limit + 1 }),
  );
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const items = shown.map(({ seq, body, key, signature }) => {
    const { hash, at } = JSON.parse(body) as { hash: string; at: string };
    return { seq: Number(seq), hash, at, body, key, signature };
  });
  return {
    items,
    ...(rows.length > limit && last ? { next: cursors.encode(list, [last.seq, last.id]) } : {}),
    keys: [...(await auditKeys.list())],
  };
}
