import { type Static, Type } from 'typebox';
import { KeptAttachment } from './attachment.ts';
import { Id, Name, page, pageOf, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';

/** How long a session may grow before a run in it is refused. */
export const sessionLimit = { turns: 1_000, bytes: 4 * 1024 * 1024 } as const;

/** `system` turns come from imported conversations and are sent as the user's; `meta` turns are kept and never sent. */
export const TurnRole = Type.Union([
  Type.Literal('user'),
  Type.Literal('assistant'),
  Type.Literal('system'),
  Type.Literal('meta'),
]);
export type TurnRole = Static<typeof TurnRole>;

/** One message of a stored conversation. */
export const Turn = Type.Object({
  number: Type.Integer({ description: 'From 1.' }),
  role: TurnRole,
  content: Type.String(),
  attachments: Type.Array(KeptAttachment),
  run: Type.Union([Id, Type.Null()], { description: 'The run that said it; null when it was put.' }),
  created_at: Time,
});
export type Turn = Static<typeof Turn>;

export const Session = Type.Object({
  name: Name,
  turns: Type.Integer(),
  bytes: Type.Integer({ description: 'Size of all turns in UTF-8.' }),
  created_at: Time,
  updated_at: Time,
});
export type Session = Static<typeof Session>;

const byName = { session: Name };

export const sessionOperations = {
  listSessions: operation({
    method: 'GET',
    path: '/v1/sessions',
    permission: 'session:read',
    summary: 'Sessions of the workspace by name, without their texts',
    input: strict({ ...page }),
    output: pageOf(Session),
    status: 200,
    errors: ['invalid_cursor'],
  }),
  readSession: operation({
    method: 'GET',
    path: '/v1/sessions/{session}',
    permission: 'session:read',
    summary: 'One session without its turns',
    input: strict(byName),
    output: Session,
    status: 200,
    errors: ['not_found'],
  }),
  listTurns: operation({
    method: 'GET',
    path: '/v1/sessions/{session}/turns',
    permission: 'session:read',
    summary: 'Turns of a session, oldest first',
    input: strict({ ...byName, ...page }),
    output: pageOf(Turn),
    status: 200,
    errors: ['not_found', 'invalid_cursor'],
  }),
  putSession: operation({
    method: 'PUT',
    path: '/v1/sessions/{session}',
    permission: 'session:write',
    summary: 'Create or replace a session; runs make theirs by themselves',
    input: strict({
      ...byName,
      turns: Type.Array(strict({ role: TurnRole, content: Type.String({ maxLength: sessionLimit.bytes }) }), {
        maxItems: sessionLimit.turns,
        description: 'The whole conversation, oldest first; at most 4 MiB of text.',
      }),
    }),
    output: Session,
    status: 200,
    errors: ['session_busy', 'session_too_long', 'on_hold'],
    bodyLimit: 2 * sessionLimit.bytes,
  }),
  deleteSession: operation({
    method: 'DELETE',
    path: '/v1/sessions/{session}',
    permission: 'session:write',
    summary: 'Delete a session with all its turns',
    input: strict(byName),
    output: Session,
    status: 200,
    errors: ['not_found', 'on_hold'],
  }),
} satisfies Operations;
