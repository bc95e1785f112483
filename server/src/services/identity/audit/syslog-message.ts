import type { AuditEntry } from '@damask/contracts/audit.ts';

// Facility 13 is "log audit" (RFC 5424); what was refused is a warning, everything else a notice.
const priority = { done: 13 * 8 + 5, refused: 13 * 8 + 4 };
const longest = 8_000;

/** One message of RFC 5424, in ASCII: the entry as JSON, without its details where they are long. */
export function toSyslogMessage(entry: AuditEntry, host: string): string {
  const text = toAscii(JSON.stringify(entry));
  const short = text.length <= longest ? text : toAscii(JSON.stringify({ ...entry, details: {}, shortened: true }));
  return `<${priority[entry.outcome]}>1 ${entry.at} ${host} damask - ${toName(entry.action)} - ${short}`;
}

/** MSGID: 32 printable letters at most. */
const toName = (text: string) => text.replace(/[^\x21-\x7e]/g, '').slice(0, 32) || '-';

const toAscii = (text: string) =>
  text.replace(/[^\x20-\x7e]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
