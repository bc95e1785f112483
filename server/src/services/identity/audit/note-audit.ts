import type { auditOperations, NotedCall } from '@damask/contracts/audit.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import type { Actor } from '#platform/call.ts';
import { noWorkspace } from '#platform/system-context.ts';
import type { AuditParts } from './audit-parts.ts';

/** Rows of what the edge saw, each for a group of like calls. Calls of nobody belong to no workspace but to the installation. */
export async function noteAudit(
  { database, clock, trail }: AuditParts,
  { notes, lost }: InputOf<(typeof auditOperations)['noteAudit']>,
): Promise<Record<string, never>> {
  const byWorkspace = Map.groupBy(notes, ({ workspace }) => workspace);
  for (const [workspace, list] of byWorkspace) {
    await database.transaction({ role: 'identity', workspace }, async (transaction) => {
      for (const note of list) {
        const { address, reason, action, subject, outcome, code, count, first_at, last_at } = note;
        const context = {
          workspace,
          actor: actorOf(note),
          requestId: note.request_id,
          ...(address === undefined ? {} : { address }),
          ...(reason === undefined ? {} : { reason }),
        };
        const many = count > 1 ? { count, first_at, last_at } : {};
        await trail.note(transaction, context, {
          action,
          subject,
          details: { ...(code === undefined ? {} : { code }), ...many },
          ...(outcome === 'refused' ? { outcome } : {}),
        });
      }
    });
  }
  if (lost > 0) {
    await database.transaction({ role: 'identity', workspace: noWorkspace }, (transaction) =>
      trail.note(
        transaction,
        { workspace: noWorkspace, actor: platform, requestId: clock.uuid() },
        { action: 'loseAuditNotes', subject: 'edge', details: { lost } },
      ),
    );
  }
  return {};
}

const platform: Actor = { kind: 'system', id: 'platform', name: 'the platform', role: 'owner' };

function actorOf({ actor_kind, actor_id, actor_account, actor_session }: NotedCall): Actor {
  return {
    kind: actor_kind as Actor['kind'],
    id: actor_id,
    name: '',
    role: 'viewer',
    ...(actor_account === undefined ? {} : { account: actor_account }),
    // Which one it was stays at the edge.
    ...(actor_session ? { session: '' } : {}),
  };
}
