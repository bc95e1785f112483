import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { sessionOperations } from '@damask/contracts/session.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { refuseHeldSession } from '../privacy/hold-session.ts';
import { type ConversationParts, inWorkspace } from './conversation-parts.ts';
import * as store from './session-store.ts';

type DeleteSession = typeof sessionOperations.deleteSession;

/** Also while a run is under way in it: what that run says is not appended anywhere then. */
export function deleteSession(
  parts: ConversationParts,
  context: CallContext,
  { session: name }: InputOf<DeleteSession>,
): Promise<OutputOf<DeleteSession>> {
  return inWorkspace(parts, context.workspace, async (transaction) => {
    const found = await store.findSession(transaction, name);
    if (!found) throw notFound();
    await refuseHeldSession(transaction, context.workspace, toTimes(found));
    if (!(await store.deleteSession(transaction, found.id))) throw notFound();
    await parts.trail.leave(transaction, context, {
      action: 'deleteSession',
      subject: `session/${name}`,
      details: { turns: found.turns },
      event: 'pattern.session-deleted',
      data: { session: name },
    });
    return store.toSession(found);
  });
}

const toTimes = ({ id, created_at, updated_at }: store.SessionRow) => ({
  id,
  created_at: new Date(created_at),
  updated_at: new Date(updated_at),
});
