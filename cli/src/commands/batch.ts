import { type Batch, DamaskError } from '@damask/sdk';
import { describeProgress, followBatch } from '../batch-progress.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { explainMissingPattern } from '../explain-missing-pattern.ts';
import { formatNumber } from '../figures.ts';
import { durationFlag, numberFlag } from '../number-flag.ts';
import { openLines } from '../read-upload.ts';
import { choiceFlags, modelsOf, previewChoice, runChoice } from '../run-flags.ts';
import { UsageError } from '../usage-error.ts';
import { checkOutput } from '../write-output.ts';
import { writeResults } from '../write-results.ts';

const {
  variable: _variable,
  session: _session,
  attachment: _attachment,
  language: _language,
  subject: _subject,
  cache: _cache,
  timeout: _timeout,
  ...choices
} = choiceFlags;

export const batch = defineCommand({
  name: 'batch',
  usage: '<pattern> <file|-> [flags]',
  about:
    'Runs a pattern on every line of a file: CSV whose header names input and variables, or JSONL with\n' +
    '{"input": "...", "variables": {...}} in each line. All lines are checked before the first is run. The results\n' +
    'come in input order, as lines end. Ctrl-C stops watching; the batch goes on.',
  flags: {
    output: {
      type: 'string',
      short: 'o',
      value: '<file>',
      completes: 'files',
      help: 'Write the results to a file; .csv makes CSV of them.',
    },
    as: { type: 'string', value: '<jsonl|csv>', help: 'The form of the results; jsonl by default.' },
    format: {
      type: 'string',
      value: '<csv|jsonl>',
      help: 'The form of the lines, where the name of the file does not tell.',
    },
    valid: { type: 'boolean', help: 'Run the good lines, and list the bad ones; otherwise one bad line refuses all.' },
    'stop-on-error': { type: 'boolean', help: 'Stop at the first line that fails.' },
    concurrency: { type: 'string', value: '<number>', help: 'Most runs at the same time.' },
    interactive: { type: 'boolean', help: 'Do not let other work go first.' },
    deterministic: { type: 'boolean', help: 'Run identical lines once; the default where the temperature is 0.' },
    'start-at': { type: 'string', value: '<time>', help: 'Not before this time, or so long from now: 2h.' },
    deadline: {
      type: 'string',
      value: '<time>',
      help: 'Break off what has not ended by this time, or so long from now.',
    },
    detach: { type: 'boolean', short: 'd', help: 'Print the id and leave; `damask batch show` tells the rest.' },
    'dry-run': { type: 'boolean', help: 'Only check the lines.' },
    ...choices,
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [2, 2],
  completes: ['patterns', 'files'],
  examples: [
    'damask batch summarize inputs.csv -o out.jsonl',
    'damask batch translate texts.jsonl --valid -o out.csv',
    'jq -c "{input: .text}" items.json | damask batch summarize - --format jsonl --detach',
  ],
  async run({ flags, positionals, terminal, connect }) {
    const [pattern = '', path = ''] = positionals;
    const as = formOf(flags.as, flags.output);
    const models = modelsOf(flags);
    if (models.length > 1) throw new UsageError('A batch runs on one model. Name one -m, or make several batches.');
    const lines = openLines(path, flags.format, terminal);
    checkOutput(flags.output);
    const unused = {
      variable: [],
      session: undefined,
      attachment: [],
      language: undefined,
      subject: undefined,
      cache: undefined,
      timeout: undefined,
    };
    const { variables: _, session: __, language: ___, ...choice } = previewChoice({ ...flags, ...unused });
    const { metadata, idempotency_key } = runChoice({ ...flags, ...unused });
    const { damask, signal } = await connect();
    const made = await damask.batches
      .upload(lines.bytes(terminal), lines.format, {
        pattern,
        ...choice,
        model: models[0],
        metadata,
        idempotency_key,
        accept: flags.valid ? 'valid' : undefined,
        on_error: flags['stop-on-error'] ? 'stop' : undefined,
        concurrency: numberFlag('concurrency', flags.concurrency, true),
        priority: flags.interactive ? 'interactive' : undefined,
        deterministic: flags.deterministic,
        start_at: timeFrom('start-at', flags['start-at']),
        deadline: timeFrom('deadline', flags.deadline),
        dry_run: flags['dry-run'],
      })
      .catch(async (error: unknown) => {
        terminal.status('');
        throw error instanceof DamaskError ? await explainMissingPattern(damask, pattern, error) : error;
      });
    terminal.status('');
    if (flags['dry-run']) {
      terminal.note(`${formatNumber(made.lines.total, 'line')} can be run.`);
      return exitCodes.ok.code;
    }
    terminal.note(
      `${formatNumber(made.lines.total, 'line')} accepted${made.lines.rejected > 0 ? `, ${made.lines.rejected} of them rejected: damask batch errors ${made.id}` : ''}.`,
    );
    if (flags.detach) {
      await terminal.print(flags.json ? JSON.stringify(made, null, 2) : made.id);
      return exitCodes.ok.code;
    }
    const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
    let ended: Batch;
    try {
      const wanted = { batch: made.id, format: as, wait: true, output: flags.output };
      // On a terminal the bar and the results would be in each other's way: the bar goes first.
      const apart = flags.output === undefined && terminal.stdoutIsTerminal && terminal.stderrIsTerminal;
      const writing = apart || flags.json ? undefined : writeResults(damask, terminal, wanted);
      writing?.catch(() => undefined);
      ended = await followBatch(damask, terminal, made.id, sleep);
      await (flags.json ? undefined : (writing ?? writeResults(damask, terminal, wanted)));
    } catch (error) {
      terminal.status('');
      if (signal.aborted)
        terminal.note(`The batch goes on: damask batch show ${made.id}. Stop it: damask batch cancel ${made.id}`);
      throw error;
    }
    if (flags.json) await terminal.print(JSON.stringify(ended, null, 2));
    terminal.note(`${ended.status}: ${describeProgress(ended)}${ended.reason ? ` (${ended.reason})` : ''}`);
    const { failed, cancelled, rejected } = ended.lines;
    if (failed + rejected > 0) terminal.note(`What is wrong with them: damask batch errors ${ended.id}`);
    return failed + cancelled + rejected > 0 ? exitCodes.failed.code : exitCodes.ok.code;
  },
});

function formOf(as: string | undefined, output: string | undefined): 'csv' | 'jsonl' {
  if (as !== undefined && as !== 'csv' && as !== 'jsonl') throw new UsageError(`--as takes jsonl or csv, not '${as}'.`);
  return as ?? (/\.csv$/i.test(output ?? '') ? 'csv' : 'jsonl');
}

function timeFrom(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (/^[\d.]+(ms|s|m|h|d)$/.test(text)) return new Date(Date.now() + (durationFlag(name, text) ?? 0)).toISOString();
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) throw new UsageError(`--${name} takes a time such as 2026-11-24T06:00:00Z or 2h.`);
  return at.toISOString();
}
