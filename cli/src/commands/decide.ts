import type { DecideRunInput } from '@damask/sdk';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { runIdOf } from '../run-id.ts';
import { UsageError } from '../usage-error.ts';

const decisions = ['approve', 'reject', 'retry', 'fail'] as const satisfies DecideRunInput['decision'][];

export const decide = defineCommand({
  name: 'decide',
  usage: '<id>|last approve|reject|retry|fail [flags]',
  about:
    'Decides what a run waits for: approve or reject a step that asks a person, retry or fail a call of which nobody knows\n' +
    'whether it was answered. `damask runs --status waiting` lists the runs.',
  flags: {
    step: { type: 'string', value: '<step>', help: 'The step that is meant, where several wait.' },
    comment: { type: 'string', value: '<text>', help: 'Why; kept with the step, and what an approval answers.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [2, 2],
  examples: ['damask decide last approve', 'damask decide 1b2c3d4e5f60 reject --comment "The tone is wrong."'],
  async run({ flags, positionals, terminal, connect }) {
    const decision = decisions.find((one) => one === positionals[1]);
    if (!decision) throw new UsageError(`Decide one of ${decisions.join(', ')}, not '${positionals[1]}'.`);
    const { damask } = await connect();
    const id = await runIdOf(damask, positionals[0] ?? '');
    const run = await damask.runs.decide({ run: id, decision, step: flags.step, comment: flags.comment });
    if (flags.json) return terminal.print(JSON.stringify(run, null, 2));
    terminal.note(`Decided: ${decision}. Run ${run.id} goes on.`);
  },
});
