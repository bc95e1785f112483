import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { UsageError } from '../usage-error.ts';

export const holdsPut = defineCommand({
  name: 'holds put',
  usage: '<hold> --reason <text> [flags]',
  about:
    'Places a legal hold, or replaces the one of this name. It keeps what is about a subject, of a pattern and of a period,\n' +
    'as far as they are named.',
  flags: {
    reason: { type: 'string', value: '<text>', help: 'Why; shown to whoever would remove it.' },
    subject: { type: 'string', value: '<person>', help: 'What is about this end user.' },
    pattern: { type: 'string', value: '<pattern>', completes: 'patterns', help: 'What runs of this pattern left.' },
    since: { type: 'string', value: '<time>', help: 'What was accepted from here on, as 2026-11-23T18:00:00Z.' },
    until: { type: 'string', value: '<time>', help: 'What was accepted before.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  examples: [
    "damask holds put case-4711 --subject ada@example.org --reason 'Smith v. Jones'",
    "damask holds put audit-2026 --since 2026-01-01T00:00:00Z --until 2027-01-01T00:00:00Z --reason 'Audit of 2026'",
  ],
  async run({ flags, positionals, terminal, connect }) {
    const { reason, subject, pattern, since, until } = flags;
    if (reason === undefined) throw new UsageError('A hold needs a reason. Say it with --reason.');
    const { damask } = await connect();
    const hold = await damask.holds.put({ hold: positionals[0] ?? '', reason, subject, pattern, since, until });
    if (flags.json) return terminal.print(JSON.stringify(hold, null, 2));
    terminal.note(`The hold ${hold.name} is in force.`);
  },
});
