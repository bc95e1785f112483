import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { sessionLimit, type sessionOperations } from '@damask/contracts/session.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { describeAttachments } from './attach.ts';
import { type ConversationParts, inWorkspace } from './conversation-parts.ts';
import { refuseLong } from './session-errors.ts';
import * as store from './session-store.ts';
import { listTurnRows } from './turn-store.ts';
import { type OpenTurn, openTurns } from './turn-text.ts';

type Sessions = typeof sessionOperations;

export async function listSessions(
  parts: ConversationParts,
  { workspace }: CallContext,
  { limit = 50, cursor }: InputOf<Sessions['listSessions']>,
): Promise<OutputOf<Sessions['listSessions']>> {
  const { cursors } = parts;
  const list = { list: 'listSessions', workspace };
  const [after = null] = cursor === undefined ? [] : cursors.decode(list, cursor);
  const rows = await inWorkspace(parts, workspace, (transaction) =>
    store.listSessions(transaction, { after, limit: limit + 1 }),
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: cursors.encode(list, [last.name]) } : { items };
}

export async function readSession(
  parts: ConversationParts,
  { workspace }: CallContext,
  { session: name }: InputOf<Sessions['readSession']>,
): Promise<OutputOf<Sessions['readSession']>> {
  const found = await inWorkspace(parts, workspace, (transaction) => store.findSession(transaction, name));
  if (!found) throw notFound();
  return store.toSession(found);
}

/** All turns of a session, as its next run would find them; none when it does not exist yet. Errors: `session_too_long`. */
export async function readTurns(
  parts: Pick<ConversationParts, 'database' | 'vault'>,
  workspace: string,
  name: string,
): Promise<OpenTurn[]> {
  const found = await inWorkspace(parts, workspace, async (transaction) => {
    const session = await store.findSession(transaction, name);
    if (!session) return undefined;
    refuseLong(session);
    const page = { after: 0, last: session.turns, limit: sessionLimit.turns };
    return { session, rows: await listTurnRows(transaction, session.id, page) };
  });
  return found ? openTurns(parts.vault, { workspace, id: found.session.id }, found.rows) : [];
}

/** A cursor belongs to one life of the session: of one that was replaced it is refused. */
export async function listTurns(
  parts: ConversationParts,
  { workspace }: CallContext,
  { session: name, limit = 50, cursor }: InputOf<Sessions['listTurns']>,
): Promise<OutputOf<Sessions['listTurns']>> {
  const { cursors, vault } = parts;
  const { session, rows } = await inWorkspace(parts, workspace, async (transaction) => {
    const session = await store.findSession(transaction, name);
    if (!session) throw notFound();
    const list = { list: 'listTurns', workspace, filter: session.id };
    const [after = '0'] = cursor === undefined ? [] : cursors.decode(list, cursor);
    const page = { after: Number(after), last: session.turns, limit: limit + 1 };
    return { session, rows: await listTurnRows(transaction, session.id, page) };
  });
  const opened = await openTurns(vault, { workspace, id: session.id }, rows.slice(0, limit));
  const items = opened.map(({ attachments, ...turn }) => ({
    ...turn,
    attachments: describeAttachments(attachments),
  }));
  const last = items.at(-1);
  if (rows.length <= limit || !last) return { items };
  return {
    items,
    next: cursors.encode({ list: 'listTurns', workspace, filter: session.id }, [String(last.number)]),
  };
}
