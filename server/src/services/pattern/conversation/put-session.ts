import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { sessionLimit, type sessionOperations } from '@damask/contracts/session.ts';
import type { CallContext } from '#platform/call.ts';
import { refuseHeldSession } from '../privacy/hold-session.ts';
import { changeSession } from './claim-session.ts';
import type { ConversationParts } from './conversation-parts.ts';
import { tooLong } from './session-errors.ts';
import { deleteSession, insertSession } from './session-store.ts';
import { insertTurns } from './turn-store.ts';
import { sealTurns } from './turn-text.ts';

type PutSession = typeof sessionOperations.putSession;

/** Replaces what was there. Errors: `session_busy` while a run is under way in it, `session_too_long`. */
export async function putSession(
  parts: ConversationParts,
  context: CallContext,
  { session: name, turns }: InputOf<PutSession>,
): Promise<OutputOf<PutSession>> {
  const { vault, clock, trail } = parts;
  const { workspace } = context;
  const said = turns.map((turn) => ({ ...turn, attachments: [] }));
  const bytes = turns.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  if (bytes > sessionLimit.bytes) throw tooLong('/turns');
  await vault.ready(workspace);
  const id = clock.uuid();
  const sealed = await sealTurns(vault, { workspace, id }, 1, said);
  const now = new Date(clock.now());
  return changeSession(parts, workspace, name, async (transaction, before) => {
    if (before.updated_at !== null) {
      await refuseHeldSession(transaction, workspace, { ...before, updated_at: before.updated_at });
    }
    // The old conversation goes whole: cursors and claims of it hang on its id.
    await deleteSession(transaction, before.id);
    const created_at = before.updated_at === null ? now : before.created_at;
    await insertSession(transaction, { workspace, name, id, turns: turns.length, bytes, created_at, updated_at: now });
    const rows = sealed.map((turn) => ({ ...turn, content: turn.sealed, run: null, created_at: now }));
    await insertTurns(transaction, { workspace, id }, 1, rows);
    await trail.leave(transaction, context, {
      action: 'putSession',
      subject: `session/${name}`,
      details: { turns: turns.length, bytes },
      event: 'pattern.session-put',
      data: { session: name },
    });
    const times = { created_at: created_at.toISOString(), updated_at: now.toISOString() };
    return { name, turns: turns.length, bytes, ...times };
  });
}
