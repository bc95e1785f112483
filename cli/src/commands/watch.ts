import type { Run } from '@damask/sdk';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { runIdOf } from '../run-id.ts';
import { runStreamed } from '../run-pattern.ts';
import { checkOutput } from '../write-output.ts';

export const watch = defineCommand({
  name: 'watch',
  usage: '<id>|last [flags]',
  about:
    'Follows a run until it ends, whichever process executes it, and prints its answer as it comes. Ctrl-C ends the\n' +
    'watching, not the run. The exit code is that of the run.',
  flags: {
    output: {
      type: 'string',
      short: 'o',
      value: '<file>',
      completes: 'files',
      help: 'Also write the answer to a file.',
    },
    'show-metadata': { type: 'boolean', help: 'Print tokens, cost and time to stderr, also in a pipeline.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  examples: ['damask watch last', 'damask watch $(damask run summarize --async < report.txt)'],
  async run(invocation) {
    const { flags, positionals, connect } = invocation;
    checkOutput(flags.output);
    const { damask } = await connect();
    const run = await runIdOf(damask, positionals[0] ?? '');
    const calls = {
      create: (input: { run: string }): Promise<Run> => damask.runs.read(input),
      stream: damask.runs.follow,
    };
    await runStreamed({ ...invocation, calls }, { run });
  },
});
