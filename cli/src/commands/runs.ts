import type { ListRunsInput, RunStatus, RunSummary } from '@damask/sdk';
import { batchIdOf } from '../batch-id.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatCost, formatCount, formatDuration, formatTime } from '../figures.ts';
import { parseMetadata } from '../key-values.ts';
import { numberFlag } from '../number-flag.ts';
import { printList } from '../print-list.ts';
import { runIdOf, shortRunId } from '../run-id.ts';
import type { Style } from '../terminal.ts';
import { timeFlag } from '../time-flag.ts';
import { UsageError } from '../usage-error.ts';

const statuses = ['queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled'] as const satisfies RunStatus[];

export const runs = defineCommand({
  name: 'runs',
  usage: '[flags]',
  about:
    'Lists runs, newest first. A cost is unknown where the model has no price. A terminal shows the end of each id,\n' +
    'which `runs show` and `runs cancel` take too.',
  flags: {
    limit: { type: 'string', short: 'n', value: '<number>', help: 'How many; 20 by default.' },
    pattern: {
      type: 'string',
      short: 'p',
      value: '<pattern>',
      completes: 'patterns',
      help: 'Only runs of this pattern.',
    },
    model: {
      type: 'string',
      short: 'm',
      value: '<provider/model>',
      completes: 'models',
      help: 'Only runs on this model.',
    },
    status: { type: 'string', value: '<status>', help: `Only runs that are ${statuses.join(', ')}.` },
    flagged: { type: 'boolean', help: 'Only runs in which a check of the pattern found something.' },
    flag: { type: 'string', value: '<check>', help: 'Only runs in which this check did.' },
    dead: { type: 'boolean', help: 'Only runs that were given up; `damask retry` runs them once more.' },
    subject: { type: 'string', value: '<person>', help: 'Only runs for this end user.' },
    metadata: {
      type: 'string',
      multiple: true,
      value: '<key=value>',
      help: 'Only runs with this note; several must all be there.',
    },
    'rerun-of': { type: 'string', value: '<id>', help: 'Only runs that repeat this run.' },
    batch: { type: 'string', value: '<id>', help: 'Only runs of this batch.' },
    since: { type: 'string', value: '<time>', help: 'Only runs since a date, or for as long back as 2h or 7d.' },
    until: { type: 'string', value: '<time>', help: 'Only runs until then.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [0, 0],
  examples: [
    'damask runs',
    'damask runs --status failed --since 1d',
    'damask runs --dead',
    'damask runs --flagged',
    'damask runs -p summarize --json',
  ],
  async run({ flags, terminal, connect }) {
    const limit = numberFlag('limit', flags.limit, true) ?? 20;
    if (limit < 1) throw new UsageError('--limit takes a number from 1 on.');
    const filter: ListRunsInput = {
      limit: Math.min(limit, 200),
      pattern: flags.pattern,
      model: flags.model,
      status: statusOf(flags.status),
      dead: flags.dead ? true : undefined,
      flagged: flags.flagged ? true : undefined,
      flag: flags.flag,
      subject: flags.subject,
      metadata: notesOf(flags.metadata),
      since: timeFlag('since', flags.since),
      until: timeFlag('until', flags.until),
    };
    const { damask } = await connect();
    const found: RunSummary[] = [];
    const batch = flags.batch && (await batchIdOf(damask, flags.batch));
    const rerun_of = flags['rerun-of'] && (await runIdOf(damask, flags['rerun-of']));
    for await (const run of damask.runs.listAll({ ...filter, rerun_of, batch })) if (found.push(run) >= limit) break;
    await printList(terminal, flags.json, found, {
      columns: [
        { title: 'RUN' },
        { title: 'WHEN', drop: 2 },
        { title: 'PATTERN', least: 10 },
        { title: 'MODEL', least: 10, drop: 1 },
        { title: 'STATUS' },
        ...(found.some(({ flags: marks }) => marks) ? [{ title: 'FLAGS', least: 8, drop: 2 }] : []),
        { title: 'IN', right: true, drop: 3 },
        { title: 'OUT', right: true, drop: 3 },
        { title: 'COST', right: true, drop: 5 },
        { title: 'TIME', right: true, drop: 4 },
      ],
      row: (run) => [
        terminal.width === undefined ? run.id : shortRunId(run.id),
        formatTime(run.accepted_at),
        { text: `${run.pattern}@${run.version}`, style: 'cyan' },
        run.model,
        { text: run.status === 'failed' && run.error ? run.error.code : run.status, style: styleOf(run.status) },
        ...(found.some(({ flags: marks }) => marks) ? [namesOf(run)] : []),
        formatCount(run.usage.input_tokens),
        formatCount(run.usage.output_tokens),
        formatCost(run.cost_micros),
        formatDuration(run.total_ms),
      ],
      empty: 'There are no such runs. Make one: damask run summarize < README.md',
    });
  },
});

/** The checks that found something, each once. */
function namesOf({ flags = [] }: RunSummary): string {
  return [...new Set(flags.map(({ check }) => check))].join(' ');
}

export function styleOf(status: RunStatus): Style {
  if (status === 'succeeded') return 'green';
  return status === 'failed' ? 'red' : 'yellow';
}

function statusOf(text: string | undefined): RunStatus | undefined {
  const status = statuses.find((one) => one === text);
  if (text !== undefined && !status) throw new UsageError(`--status takes one of ${statuses.join(', ')}.`);
  return status;
}

/** Checked here, where the message can say how it is written. */
function notesOf(texts: readonly string[]): string[] | undefined {
  parseMetadata(texts);
  return texts.length > 0 ? [...texts] : undefined;
}
