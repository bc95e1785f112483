import { batchIdOf } from '../batch-id.ts';
import { defineCommand, serverFlags } from '../command.ts';
import { numberFlag } from '../number-flag.ts';
import { UsageError } from '../usage-error.ts';
import { checkOutput } from '../write-output.ts';
import { writeResults } from '../write-results.ts';

export const batchResults = defineCommand({
  name: 'batch results',
  usage: '<id>|last [flags]',
  about:
    'Writes what the lines of a batch came to, in input order: all ended lines up to the first that has not ended.\n' +
    'It can be asked while the batch is running. To go on later, name the last line with --after.',
  flags: {
    output: {
      type: 'string',
      short: 'o',
      value: '<file>',
      completes: 'files',
      help: 'Write to a file; .csv makes CSV of them.',
    },
    as: { type: 'string', value: '<jsonl|csv>', help: 'The form of the results; jsonl by default.' },
    after: { type: 'string', value: '<line>', help: 'Only lines after this one.' },
    wait: { type: 'boolean', short: 'w', help: 'Go on until the batch has ended.' },
    ...serverFlags,
  },
  positionals: [1, 1],
  examples: ['damask batch results last -o out.jsonl', 'damask batch results last --as csv --after 1000'],
  async run({ flags, positionals, terminal, connect }) {
    const { as, output } = flags;
    if (as !== undefined && as !== 'csv' && as !== 'jsonl')
      throw new UsageError(`--as takes jsonl or csv, not '${as}'.`);
    const after = numberFlag('after', flags.after, true);
    checkOutput(output);
    const { damask } = await connect();
    const batch = await batchIdOf(damask, positionals[0] ?? '');
    const format = as ?? (/\.csv$/i.test(output ?? '') ? 'csv' : 'jsonl');
    await writeResults(damask, terminal, { batch, format, after, wait: flags.wait === true, output });
  },
});
