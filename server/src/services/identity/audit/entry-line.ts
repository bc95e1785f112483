import type { AuditEntry } from '@damask/contracts/audit.ts';

const columns = [
  'seq',
  'at',
  'actor_kind',
  'actor_id',
  'actor_account',
  'auth',
  'action',
  'subject',
  'outcome',
  'reason',
  'address',
  'before',
  'after',
  'details',
  'service',
  'id',
  'request_id',
  'workspace',
  'previous',
  'hash',
] as const;

export const entryHeader = `${columns.join(',')}\r\n`;

/** One line of CSV. Texts that a spreadsheet would take for a formula get an apostrophe in front (OWASP, CSV injection). */
export function toCsvLine({ actor, details, ...entry }: AuditEntry): string {
  const row: Record<(typeof columns)[number], unknown> = {
    ...entry,
    actor_kind: actor.kind,
    actor_id: actor.id,
    actor_account: actor.account,
    details: Object.keys(details).length > 0 ? JSON.stringify(details) : null,
  };
  return `${columns.map((name) => toCell(row[name])).join(',')}\r\n`;
}

function toCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = String(value);
  const safe = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}
