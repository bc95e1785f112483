import type { Run } from '@damask/sdk';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatBytes, formatCost, formatCount, formatDuration, formatTime } from '../figures.ts';
import { runIdOf } from '../run-id.ts';
import { printable, type Terminal } from '../terminal.ts';
import { styleOf } from './runs.ts';

export const runsShow = defineCommand({
  name: 'runs show',
  usage: '<id>|last [flags]',
  about: 'Shows one run with its input, its output and its calls to models. `last` is the newest run.',
  flags: {
    output: { type: 'boolean', help: 'Only the output, byte for byte.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  examples: ['damask runs show last', 'damask runs show last --output | damask run suggest_titles'],
  async run({ flags, positionals, terminal, connect }) {
    const { damask } = await connect();
    const run = await damask.runs.read({ run: await runIdOf(damask, positionals[0] ?? '') });
    if (flags.json) return terminal.print(JSON.stringify(run, null, 2));
    if (flags.output) return terminal.result(run.output ?? '');
    await terminal.print(describe(run, terminal));
  },
});

function describe(run: Run, { paint }: Terminal): string {
  const { input_tokens, output_tokens, cached_input_tokens, reasoning_tokens } = run.usage;
  const cached = cached_input_tokens === null ? '' : ` (${cached_input_tokens} cached)`;
  const reasoning = reasoning_tokens === null ? '' : ` (${reasoning_tokens} reasoning)`;
  const choice = [run.environment, run.label && `label ${run.label}`, run.strategy && `strategy ${run.strategy}`];
  const pairs = (values: Readonly<Record<string, string>>) =>
    Object.entries(values)
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
      .join(', ');
  const facts: [string, string][] = [
    ['Status', paint(styleOf(run.status), run.status)],
    ['Error', run.error ? printable(`${run.error.code}: ${run.error.detail}`) : ''],
    ['Queue', run.queue ? describeQueue(run.queue) : ''],
    ['Steps', run.steps ? describeSteps(run.steps) : ''],
    ['Pattern', `${run.pattern}@${run.version} (${choice.filter(Boolean).join(', ')})`.replace(' ()', '')],
    ['Digest', run.digest],
    ['Repeats', run.rerun_of ?? ''],
    ['Taken from', run.cached ? 'an answer that was kept: no model was called' : ''],
    ['Context', run.context ?? ''],
    ['Session', run.session ?? ''],
    ['Language', run.language ?? ''],
    ['Model', printable(run.model)],
    ['When', formatTime(run.accepted_at)],
    ['Time', `${formatDuration(run.total_ms)}, first output after ${formatDuration(run.first_output_ms)}`],
    ['Tokens', `${formatCount(input_tokens)}${cached} in, ${formatCount(output_tokens)}${reasoning} out`],
    ['Cost', formatCost(run.cost_micros)],
    ['Stopped by', run.stop_reason ? printable(run.stop_reason) : ''],
    ['Variables', printable(pairs(run.variables))],
    ['Metadata', printable(pairs(run.metadata))],
    ['Subject', printable(run.subject ?? '')],
    ['Files', printable(run.attachments.map(describeFile).join(', '))],
    ['Asks for', printable((run.tool_calls ?? []).map(({ name }) => name).join(', '))],
    ['Flags', printable((run.flags ?? []).map(describeFlag).join(', '))],
    ['Taken out', run.redacted ? describeCounts(run.redacted) : ''],
    ['Sanitised', run.sanitised ? 'The output held NUL or broken characters; each became U+FFFD.' : ''],
  ];
  const calls = run.attempts.map(
    ({ number, model, outcome, code, provider_status, total_ms }) =>
      `  ${number}. ${printable(model)} ${outcome}${code ? ` ${code}` : ''}${provider_status ? ` (HTTP ${provider_status})` : ''} ${formatDuration(total_ms)}`,
  );
  return [
    `${paint('bold', 'Run')} ${run.id}`,
    ...facts.filter(([, value]) => value !== '').map(([name, value]) => `${paint('dim', name.padEnd(10))}  ${value}`),
    ...(calls.length > 0 ? [paint('dim', 'Calls'), ...calls] : []),
    ...section(paint('dim', '--- input'), run.input),
    ...section(paint('dim', '--- output'), run.output),
  ].join('\n');
}

function describeQueue({ priority, ready_at, deadline, deliveries, why }: NonNullable<Run['queue']>): string {
  return [
    priority,
    why ? `waits for ${why}` : '',
    ready_at !== null && Date.parse(ready_at) > Date.now() ? `from ${formatTime(ready_at)}` : '',
    deadline ? `until ${formatTime(deadline)}` : '',
    deliveries > 0 ? `${deliveries} processes died with it` : '',
  ]
    .filter(Boolean)
    .join(', ');
}

function describeFlag({ check, found, count, action, step }: NonNullable<Run['flags']>[number]): string {
  return `${check} found ${found}${count > 1 ? ` ${count} times` : ''}${step ? ` in ${step}` : ''} (${action})`;
}

function describeCounts(counts: NonNullable<Run['redacted']>): string {
  const found = Object.entries(counts).map(([kind, count]) => `${count} ${kind}`);
  return found.length > 0 ? `${found.join(', ')}: not in the stored texts` : 'nothing';
}

function describeSteps(steps: NonNullable<Run['steps']>): string {
  return Object.entries(steps)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ');
}

function describeFile({ name, media_type, bytes }: Run['attachments'][number]): string {
  return `${name} (${media_type}, ${formatBytes(bytes)})`;
}

function section(title: string, text: string | null): string[] {
  return text === null ? [] : ['', title, printable(text).trimEnd()];
}
