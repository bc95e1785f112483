import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { defineCommand, serverFlags } from '../command.ts';
import { OutputError } from '../output-error.ts';
import { timeFlag } from '../time-flag.ts';
import { UsageError } from '../usage-error.ts';
import { checkOutput } from '../write-output.ts';

export const auditExport = defineCommand({
  name: 'audit export',
  usage: '[flags]',
  about:
    'Writes the audit log, oldest first: JSONL with the hashes of the chain, which `damask audit verify` checks without\n' +
    'a server, or CSV for a spreadsheet. A period takes all entries between its first and its last one.',
  flags: {
    output: {
      type: 'string',
      short: 'o',
      value: '<file>',
      completes: 'files',
      help: 'Write to a file; .csv makes CSV.',
    },
    format: { type: 'string', value: '<jsonl|csv>', help: 'The form; jsonl by default.' },
    from: { type: 'string', value: '<time>', help: 'From a date on, or from as long back as 2h or 7d.' },
    to: { type: 'string', value: '<time>', help: 'Up to then.' },
    ...serverFlags,
  },
  positionals: [0, 0],
  examples: [
    'damask audit export -o audit.jsonl',
    'damask audit export -o audit.csv --from 2026-10-01 --to 2026-11-01',
  ],
  async run({ flags, terminal, connect }) {
    const { format, output } = flags;
    if (format !== undefined && format !== 'csv' && format !== 'jsonl') {
      throw new UsageError(`--format takes jsonl or csv, not '${format}'.`);
    }
    checkOutput(output);
    const input = {
      format: format ?? (/\.csv$/i.test(output ?? '') ? ('csv' as const) : ('jsonl' as const)),
      since: timeFlag('from', flags.from),
      until: timeFlag('to', flags.to),
    };
    const { damask } = await connect();
    const began = new Date().toISOString();
    const bytes = damask.audit.exportBytes(input);
    if (output === undefined) {
      const decoder = new TextDecoder();
      for await (const piece of bytes) await terminal.result(decoder.decode(piece, { stream: true }));
      return;
    }
    await writeFile(output, bytes);
    const until = input.format === 'jsonl' && input.until === undefined ? ` Verify it later with --to ${began}` : '';
    terminal.note(`${output} is written.${until}`);
  },
});

async function writeFile(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const file = createWriteStream(path, { mode: 0o600 });
  let failure: NodeJS.ErrnoException | undefined;
  file.on('error', (error: NodeJS.ErrnoException) => {
    failure = error;
  });
  for await (const piece of bytes) {
    if (!failure && !file.write(piece)) await Promise.race([once(file, 'drain'), once(file, 'close')]);
    if (failure) throw new OutputError(failure.code);
  }
  await new Promise<void>((resolve) => file.end(() => resolve()));
  if (failure) throw new OutputError(failure.code);
}
