import { appendFileSync, writeFileSync } from 'node:fs';
import { defineCommand, reasonFlag, serverFlags } from '../command.ts';
import { InputError } from '../input-error.ts';
import { checkOutput } from '../write-output.ts';

export const subjectExport = defineCommand({
  name: 'subject export',
  usage: '<subject> [flags]',
  about:
    'Writes all that is kept about an end user as lines of JSON: runs with their texts and steps, turns of sessions, lines of\n' +
    'batches, timers. The file can be read by you alone.',
  flags: {
    output: { type: 'string', short: 'o', value: '<file>', completes: 'files', help: 'Write to a file.' },
    ...reasonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  examples: ['damask subject export ada@example.org -o ada.jsonl'],
  async run({ flags, positionals, terminal, connect }) {
    const { output } = flags;
    checkOutput(output);
    const { damask } = await connect();
    let records = 0;
    if (output !== undefined) write(output, () => writeFileSync(output, '', { mode: 0o600 }));
    for await (const record of damask.subjects.exportAll({ subject: positionals[0] ?? '' })) {
      records += 1;
      const line = `${JSON.stringify(record)}\n`;
      if (output === undefined) await terminal.result(line);
      else write(output, () => appendFileSync(output, line));
    }
    terminal.note(`${records} ${records === 1 ? 'record' : 'records'}${output === undefined ? '' : ` in ${output}`}.`);
  },
});

function write(path: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw new InputError(
      `${path} could not be written (${(error as NodeJS.ErrnoException).code}). Name another file for -o.`,
    );
  }
}
