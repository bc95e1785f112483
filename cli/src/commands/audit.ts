import type { AuditEntry } from '@damask/sdk';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatTime } from '../figures.ts';
import { numberFlag } from '../number-flag.ts';
import { printList } from '../print-list.ts';
import { timeFlag } from '../time-flag.ts';
import { UsageError } from '../usage-error.ts';

export const audit = defineCommand({
  name: 'audit',
  usage: '[flags]',
  about:
    'Lists who changed what in the workspace, what was refused, and who read the texts of others, newest first.\n' +
    'An entry is sealed within 5 s of its change. It takes the permission audit:read.',
  flags: {
    limit: { type: 'string', short: 'n', value: '<number>', help: 'How many; 20 by default.' },
    actor: { type: 'string', value: '<id>', help: 'Only what this key, member or account did.' },
    action: { type: 'string', value: '<operation>', help: 'Only this operation, for example createKey.' },
    subject: { type: 'string', value: '<kind/name>', help: 'Only what begins so: pattern/, key/, provider/openai.' },
    refused: { type: 'boolean', help: 'Only what was refused.' },
    since: { type: 'string', value: '<time>', help: 'Only entries since a date, or for as long back as 2h or 7d.' },
    until: { type: 'string', value: '<time>', help: 'Only entries until then.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [0, 0],
  examples: ['damask audit', 'damask audit --subject key/ --since 7d', 'damask audit --refused --json'],
  async run({ flags, terminal, connect }) {
    const limit = numberFlag('limit', flags.limit, true) ?? 20;
    if (limit < 1) throw new UsageError('--limit takes a number from 1 on.');
    const filter = {
      limit: Math.min(limit, 200),
      actor: flags.actor,
      action: flags.action,
      subject: flags.subject,
      outcome: flags.refused ? ('refused' as const) : undefined,
      since: timeFlag('since', flags.since),
      until: timeFlag('until', flags.until),
    };
    const { damask } = await connect();
    const found: AuditEntry[] = [];
    for await (const entry of damask.audit.listAll(filter)) if (found.push(entry) >= limit) break;
    await printList(terminal, flags.json, found, {
      columns: [
        { title: 'SEQ', right: true },
        { title: 'WHEN' },
        { title: 'ACTOR', drop: 2 },
        { title: 'ACTION' },
        { title: 'SUBJECT', least: 12 },
        { title: 'FROM', drop: 1 },
        { title: 'REASON', drop: 0 },
      ],
      row: (entry) => [
        String(entry.seq),
        formatTime(entry.at),
        entry.actor.kind === 'system' ? entry.actor.id : `${entry.actor.kind} ${entry.actor.id}`,
        entry.outcome === 'refused' ? { text: `${entry.action} refused`, style: 'red' } : entry.action,
        entry.subject,
        entry.address ?? '',
        entry.reason ?? '',
      ],
      empty: 'Nothing of the kind is in the audit log.',
    });
  },
});
