import { dirname } from 'node:path';
import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatBytes, formatNumber } from '../figures.ts';
import { InputError } from '../input-error.ts';
import { numberFlag } from '../number-flag.ts';
import { timeFlag } from '../time-flag.ts';
import { UsageError } from '../usage-error.ts';
import { checkOutput } from '../write-output.ts';

export const evidenceExport = defineCommand({
  name: 'evidence export',
  usage: '--since <time> -o <file> [flags]',
  about:
    'Collects what auditors ask for into one archive whose digests the server signs: who may do what, the audit log with\n' +
    'its check, keys, retention and removals, providers, the bill of materials, and which control each file serves. What\n' +
    'your key may not read is left out and named: the command then ends with 4, unless --partial.',
  flags: {
    since: { type: 'string', value: '<time>', help: 'The period: from a date on, or from as long back as 90d.' },
    until: { type: 'string', value: '<time>', help: 'Up to then, a date with its whole day; now by default.' },
    output: { type: 'string', short: 'o', value: '<file>', completes: 'files', help: 'The archive: evidence.tar.gz.' },
    results: {
      type: 'string',
      multiple: true,
      value: '<file>',
      completes: 'files',
      help: 'What a run of the tests wrote: test-results/quick.json.',
    },
    backups: {
      type: 'string',
      multiple: true,
      value: '<file>',
      completes: 'files',
      help: 'What is known of backups and of restores that were tried.',
    },
    'stale-days': { type: 'string', value: '<days>', help: 'Mark keys that were not used for so long; 90 by default.' },
    partial: { type: 'boolean', help: 'End with 0 although something had to be left out.' },
    ...reasonFlag,
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [0, 0],
  examples: [
    'damask evidence export --since 2026-10-01 --until 2026-12-31 -o evidence.tar.gz',
    'damask evidence export --since 90d -o evidence.tar.gz --results test-results/quick.json',
  ],
  async run({ flags, terminal, connect }) {
    const { output, results, backups } = flags;
    const since = timeFlag('since', flags.since);
    if (since === undefined) throw new UsageError('Name the period: --since 2026-10-01, or --since 90d.');
    if (output === undefined) throw new UsageError('Name the archive to write: -o evidence.tar.gz');
    const now = new Date().toISOString();
    const until = timeFlag('until', wholeDay(flags.until)) ?? now;
    if (since >= until) throw new UsageError('--since is not before --until.');
    const staleDays = numberFlag('stale-days', flags['stale-days'], true) ?? 90;
    if (staleDays < 1) throw new UsageError('--stale-days takes 1 or more.');
    const { checkGiven } = await import('../evidence/given-files.ts');
    checkOutput(output);
    checkGiven('results', results);
    checkGiven('backups', backups);
    const { damask, signal } = await connect();
    const me = await damask.me();
    if (!me.permissions.includes('evidence:write') || me.patterns !== null || me.environments !== null) {
      throw new InputError(
        'This key may not have evidence sealed. Use one that holds evidence:write for the whole workspace, as admins and owners do.',
        'refused',
      );
    }
    const [{ openSpool }, { collectEvidence }, { sealSpool, writeEvidence }] = await Promise.all([
      import('../evidence/spool.ts'),
      import('../evidence/collect-evidence.ts'),
      import('../evidence/seal-archive.ts'),
    ]);
    const spool = await openSpool(dirname(output));
    try {
      const sources = { damask, me, spool, since, until, now, staleDays };
      const manifest = await collectEvidence(sources, { results, backups }, (what, done, of) => {
        signal.throwIfAborted();
        terminal.status(`Collecting ${what} (${done + 1} of ${of})`);
      });
      terminal.status('Writing the archive');
      const seal = await sealSpool(damask, sources);
      const bytes = await writeEvidence(output, spool, seal, signal);
      terminal.status('');
      const { left_out, not_given, files } = manifest;
      if (flags.json) {
        const told = {
          archive: output,
          bytes,
          seal: seal.id,
          at: seal.at,
          files: files.length + 2,
          left_out,
          not_given,
        };
        await terminal.print(JSON.stringify(told, null, 2));
      } else {
        await terminal.print(
          `${output}: ${formatNumber(files.length + 2, 'file')}, ${formatBytes(bytes)}, sealed ${seal.at} as ${seal.id}`,
        );
        for (const { what, need, detail } of left_out) {
          terminal.note(
            `${terminal.paintNote('yellow', 'left out:')} ${what}${need ? ` (needs ${need})` : ''}. ${detail}`,
          );
        }
        for (const { what, how } of not_given) terminal.note(`not given: ${what}. ${how}`);
        terminal.note(`Check it anywhere: damask evidence verify ${output} --public-key keys.json`);
      }
      return left_out.length === 0 || flags.partial ? exitCodes.ok.code : exitCodes.refused.code;
    } finally {
      await spool.close();
    }
  },
});

/** A date alone stands for its whole day. */
function wholeDay(text: string | undefined): string | undefined {
  const day = text === undefined ? undefined : /^\d{4}-\d{2}-\d{2}$/.exec(text)?.[0];
  const next = day === undefined ? Number.NaN : Date.parse(`${day}T00:00:00Z`) + 86_400_000;
  return Number.isNaN(next) ? text : new Date(next).toISOString();
}
