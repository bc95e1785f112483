import { type ErrorCode, errorCatalogue } from '@damask/contracts/errors.ts';
import { pathParameters } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import type { AuditNotes } from './audit-notes.ts';
import { anyone, type Principal } from './principal.ts';
import type { Match, Route } from './routes.ts';

/** What is known of a request that reached an operation. */
export interface Called {
  route?: Route;
  match?: Match;
  caller?: Principal;
}

type Notes = Pick<AuditNotes, 'note'> | undefined;

/** Takes down that somebody may not change something. Nobody waits for it. */
export function noteRefusal(
  notes: Notes,
  { route, match, caller = anyone }: Called,
  call: { readonly code: ErrorCode; readonly address: string; readonly requestId: string },
): void {
  if (!notes || !route || !match || route.operation.method === 'GET') return;
  const { status } = errorCatalogue[call.code];
  if (status !== 401 && status !== 403) return;
  // Strangers could name anything: what they ask for is one thing.
  const subject = caller === anyone ? route.operation.path : subjectOf(route, match);
  notes.note({ caller, action: route.name, subject, outcome: 'refused', ...call });
}

/** Takes down who read what is sensitive: all of it, or only what somebody else made, as the operation says. */
export function noteRead(notes: Notes, { route, match, caller }: Called, context: CallContext, output: unknown): void {
  if (!notes || !route || !match || !caller) return;
  const maker = (output as { actor?: unknown } | null | undefined)?.actor;
  if (route.operation.audited === 'others' && (maker === undefined || maker === caller.actor.id)) return;
  const { address = '', reason, requestId } = context;
  const subject = subjectOf(route, match);
  notes.note({ caller, action: route.name, subject, outcome: 'done', address, reason, requestId });
}

/** The first thing that the address names. */
function subjectOf({ operation }: Route, { parameters }: Match): string {
  const [kind] = pathParameters(operation.path);
  if (kind === undefined) return operation.path;
  return `${kind}/${parameters[kind] ?? ''}`.replace(/[^\x20-\x7e]/g, '').slice(0, 300);
}
