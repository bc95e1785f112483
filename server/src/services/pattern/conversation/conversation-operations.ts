import type { contextOperations } from '@damask/contracts/context.ts';
import type { sessionOperations } from '@damask/contracts/session.ts';
import type { Implementation } from '#platform/call.ts';
import type { ConversationParts } from './conversation-parts.ts';
import { deleteContext } from './delete-context.ts';
import { deleteSession } from './delete-session.ts';
import { listContexts } from './list-contexts.ts';
import { putContext } from './put-context.ts';
import { putSession } from './put-session.ts';
import { readContext } from './read-context.ts';
import { listSessions, listTurns, readSession } from './read-sessions.ts';

/** Contexts and sessions. Inputs are checked and permissions asked for before they come here. */
export function createConversationOperations(
  parts: ConversationParts,
): Implementation<typeof contextOperations & typeof sessionOperations> {
  return {
    /** By name, without texts. Errors: `invalid_cursor`. */
    listContexts: (context, input) => listContexts(parts, context, input),
    /** Errors: `not_found`. */
    readContext: (context, input) => readContext(parts, context, input),
    /** Can be repeated. Errors: `invalid_request` above 1 MiB. */
    putContext: (context, input) => putContext(parts, context, input),
    /** Errors: `not_found`. */
    deleteContext: (context, input) => deleteContext(parts, context, input),
    /** By name, without texts. Errors: `invalid_cursor`. */
    listSessions: (context, input) => listSessions(parts, context, input),
    /** Errors: `not_found`. */
    readSession: (context, input) => readSession(parts, context, input),
    /** Oldest first. Errors: `not_found`, `invalid_cursor`. */
    listTurns: (context, input) => listTurns(parts, context, input),
    /** Replaces the whole conversation. Errors: `session_busy`, `session_too_long`. */
    putSession: (context, input) => putSession(parts, context, input),
    /** Also while a run is under way in it. Errors: `not_found`. */
    deleteSession: (context, input) => deleteSession(parts, context, input),
  };
}
