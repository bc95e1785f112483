import { readKeyFile } from '../audit/read-folder.ts';
import { defineCommand, jsonFlag } from '../command.ts';
import { verifyEvidence } from '../evidence/verify-evidence.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatBytes, formatNumber } from '../figures.ts';
import { printable } from '../terminal.ts';

const mostShown = 100;

export const evidenceVerify = defineCommand({
  name: 'evidence verify',
  usage: '<archive> [flags]',
  about:
    'Checks an archive of `damask evidence export`, without a server: the signature of its seal, and that each file is\n' +
    'what was sealed, that none is missing and none was added. It ends with 1 when something is wrong, and says what.',
  flags: {
    'public-key': {
      type: 'string',
      value: '<file>',
      completes: 'files',
      help: 'Keys that you trust: keys.json of the checkpoints, or PEM; by default those in the archive.',
    },
    ...jsonFlag,
  },
  positionals: [1, 1],
  completes: ['files'],
  examples: ['damask evidence verify evidence.tar.gz --public-key keys.json'],
  async run({ flags, positionals: [archive = ''], terminal }) {
    const trusted = flags['public-key'] === undefined ? undefined : readKeyFile(flags['public-key']);
    const verdict = await verifyEvidence(archive, trusted);
    const { seal, key, problems, files, bytes, left_out, not_given } = verdict;
    const whole = problems.length === 0;
    if (flags.json) await terminal.print(JSON.stringify(verdict, null, 2));
    else {
      const print = (text: string) => terminal.print(printable(text));
      if (seal) {
        await print(
          `workspace ${seal.workspace.name} (${seal.workspace.id}), ${seal.since ?? ''} to ${seal.until ?? ''}`,
        );
        await print(`sealed ${seal.at} as ${seal.id} for ${seal.actor.kind} ${seal.actor.id} by the key ${key}`);
      }
      await print(`${formatNumber(files, 'file')}, ${formatBytes(bytes)}`);
      for (const { code, detail } of problems.slice(0, mostShown)) {
        await terminal.print(`${terminal.paint('red', code)}: ${printable(detail)}`);
      }
      if (problems.length > mostShown) await print(`... and ${problems.length - mostShown} more`);
      if (whole) await print('All is as it was sealed.');
      for (const { what, code } of left_out) terminal.note(printable(`left out: ${what} (${code})`));
      for (const { what } of not_given) terminal.note(printable(`not given: ${what}`));
      if (!verdict.trusted) {
        terminal.note('The keys came from the archive itself. Name keys that you had before with --public-key.');
      }
    }
    return whole ? exitCodes.ok.code : exitCodes.failed.code;
  },
});
