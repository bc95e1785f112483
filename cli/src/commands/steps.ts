import type { RunStep } from '@damask/sdk';
import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatCost, formatCount, formatDuration } from '../figures.ts';
import { InputError } from '../input-error.ts';
import { printList } from '../print-list.ts';
import { runIdOf } from '../run-id.ts';
import type { Style } from '../terminal.ts';

export const steps = defineCommand({
  name: 'steps',
  usage: '<run>|last [<step>] [flags]',
  about:
    "Shows the steps of a chain's run: what ran, what it took, and what waits for a person. With a step, only that one and\n" +
    'what it consists of. Decide what waits with `damask decide`.',
  flags: {
    output: { type: 'boolean', help: 'Only the output of the step, byte for byte.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [1, 2],
  examples: ['damask steps last', "damask steps last 'sections[3]' --output", 'damask steps last --json'],
  async run({ flags, positionals, terminal, connect }) {
    const [text = '', path] = positionals;
    const { damask } = await connect();
    const run = await runIdOf(damask, text);
    const found = await collectItems(damask.runs.stepsAll({ run, path }));
    if (path !== undefined && found.length === 0) {
      throw new InputError(`The run has no step ${path} yet. List them: damask steps ${text}`, 'notFound');
    }
    if (flags.output) {
      if (path === undefined) throw new InputError('Name the step: damask steps last outline --output');
      const output = found.find((step) => step.path === path)?.output;
      if (typeof output === 'string') return terminal.result(output);
      throw new InputError(
        found.length > 1
          ? `The step ${path} has no text of its own: its parts have. List them: damask steps ${text} ${path}`
          : `The step ${path} has no text: it is ${found[0]?.state}.`,
        'notFound',
      );
    }
    await printList(terminal, flags.json, found, {
      columns: [
        { title: 'STEP', least: 12 },
        { title: 'STATE' },
        { title: 'PATTERN', least: 10 },
        { title: 'MODEL', least: 10, drop: 1 },
        { title: 'CALLS', right: true, drop: 2 },
        { title: 'IN', right: true, drop: 3 },
        { title: 'OUT', right: true, drop: 3 },
        { title: 'COST', right: true, drop: 4 },
        { title: 'TIME', right: true, drop: 5 },
        { title: '', least: 10, drop: 6 },
      ],
      row: (step) => [
        step.path,
        { text: step.state, style: styleOf(step.state) },
        {
          text: step.pattern ? `${step.pattern}@${step.version}` : step.state === 'running' ? '' : 'a person',
          style: 'cyan',
        },
        step.model ?? '',
        String(step.attempts.length || ''),
        ...(step.attempts.length === 0
          ? ['', '', '']
          : [
              formatCount(step.usage.input_tokens),
              formatCount(step.usage.output_tokens),
              formatCost(step.cost_micros),
            ]),
        formatDuration(timeOf(step)),
        saidOf(step),
      ],
      empty: 'The run has no steps: it is no chain, or nothing of it has begun.',
    });
  },
});

function timeOf({ started_at, finished_at }: RunStep): number | null {
  return started_at && finished_at ? Date.parse(finished_at) - Date.parse(started_at) : null;
}

function saidOf({ error, waits_for, output, pattern, data, state }: RunStep): string {
  if (error) return `${error.code}: ${error.detail}`;
  if (waits_for === 'approval') return output ?? '';
  if (waits_for !== null) return `waits for ${waits_for}`;
  const decided =
    pattern === null && state !== 'running' ? (data as { decision?: string } | undefined)?.decision : undefined;
  return decided === undefined ? '' : `${decided}${output ? `: ${output}` : ''}`;
}

function styleOf(state: RunStep['state']): Style {
  if (state === 'succeeded') return 'green';
  return state === 'failed' ? 'red' : state === 'running' ? 'cyan' : 'yellow';
}
