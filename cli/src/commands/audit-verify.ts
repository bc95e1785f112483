import { createReadStream } from 'node:fs';
import type { Damask } from '@damask/sdk';
import { readAnchors, readKeys, type SignedLine, type VerifyKey } from '../audit/anchors.ts';
import { readFolder, readKeyFile } from '../audit/read-folder.ts';
import { createChainVerifier, type Verdict } from '../audit/verify-chain.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatCount } from '../figures.ts';
import { InputError } from '../input-error.ts';
import type { Terminal } from '../terminal.ts';
import { timeFlag } from '../time-flag.ts';

const mostShown = 100;
/** Characters of an entry; they have some hundred. */
const longestLine = 16 * 1024 * 1024;

export const auditVerify = defineCommand({
  name: 'audit verify',
  usage: '[<export>|-] [flags]',
  about:
    'Checks an export of the audit log, without a server: each hash, each place in the chain, and with --checkpoints what\n' +
    'was signed outside of the database. Without an export it checks the log of the server. It ends with 1 when\n' +
    'something was changed, moved or taken away, and says what and where.',
  flags: {
    checkpoints: {
      type: 'string',
      multiple: true,
      value: '<folder>',
      completes: 'files',
      help: 'Where the server keeps its checkpoints (DAMASK_AUDIT_CHECKPOINTS), or a copy.',
    },
    'public-key': {
      type: 'string',
      value: '<file>',
      completes: 'files',
      help: 'Keys that you trust: keys.json or PEM; by default those beside the checkpoints.',
    },
    state: {
      type: 'boolean',
      help: 'Also hold keys, members, roles and providers of the server against the log.',
    },
    workspace: { type: 'string', value: '<id>', help: 'The workspace that it has to be of.' },
    from: { type: 'string', value: '<time>', help: 'The export begins here, on purpose.' },
    to: { type: 'string', value: '<time>', help: 'The export was made then: what was signed later is left out.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [0, 1],
  completes: ['files'],
  examples: [
    'damask audit verify --checkpoints ~/.damask/audit',
    'damask audit verify audit.jsonl --checkpoints /mnt/anchors --public-key keys.json',
  ],
  async run({ flags, positionals: [file], terminal, connect }) {
    const folders = flags.checkpoints.map(readFolder);
    const trusted = flags['public-key'] === undefined ? undefined : readKeyFile(flags['public-key']);
    const since = timeFlag('from', flags.from);
    const until = timeFlag('to', flags.to);
    const lines: SignedLine[] = folders.flatMap((folder) => folder.lines);
    const keys: VerifyKey[] = [...(trusted ?? folders.flatMap((folder) => folder.keys))];
    let workspace = flags.workspace;
    let source: AsyncIterable<Uint8Array>;
    if (file === undefined) {
      const { damask } = await connect();
      workspace ??= (await damask.me()).workspace.id;
      // Before the export: a checkpoint that comes meanwhile would be ahead of it.
      const served = await readServed(damask);
      if (folders.length === 0) {
        lines.push(...served.lines);
        if (!trusted) keys.push(...served.keys);
      }
      source = damask.audit.exportBytes({ since, until });
    } else source = file === '-' ? process.stdin : openFile(file);
    const { anchors, problems } = readAnchors(lines, keys);
    const verifier = createChainVerifier({
      workspace,
      anchors,
      anchorProblems: problems,
      partial: since !== undefined,
      until,
      anchored: folders.length > 0,
    });
    for await (const line of linesOf(source)) verifier.add(line);
    const verdict = verifier.end();
    const changes = flags.state ? (await (await connect()).damask.audit.state()).items : [];
    const whole = verdict.problems.length === 0 && changes.length === 0;
    if (flags.json) await terminal.print(JSON.stringify({ ...verdict, changed_by_hand: changes }, null, 2));
    else await tell(terminal, verdict, { outside: folders.length > 0, ownKeys: trusted === undefined });
    if (!flags.json) {
      for (const { subject, what } of changes) {
        await terminal.print(`${terminal.paint('red', 'changed_by_hand')} ${subject}: it was ${what} without an entry`);
      }
    }
    return whole ? exitCodes.ok.code : exitCodes.failed.code;
  },
});

async function readServed(damask: Damask): Promise<{ lines: SignedLine[]; keys: VerifyKey[] }> {
  const lines: SignedLine[] = [];
  let keys: VerifyKey[] = [];
  let cursor: string | undefined;
  do {
    const page = await damask.audit.checkpoints({ limit: 200, cursor });
    lines.push(...page.items.map(({ body, key, signature }) => ({ body, key, signature })));
    keys = readKeys(JSON.stringify(page.keys));
    cursor = page.next;
  } while (cursor !== undefined);
  return { lines, keys };
}

function openFile(path: string): AsyncIterable<Uint8Array> {
  const stream = createReadStream(path);
  return {
    async *[Symbol.asyncIterator]() {
      try {
        yield* stream;
      } catch (error) {
        throw new InputError(`${path} cannot be read: ${(error as Error).message}.`, 'notFound');
      }
    },
  };
}

async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let rest = '';
  for await (const piece of source) {
    const [begin = '', ...others] = decoder.decode(piece, { stream: true }).split('\n');
    // The rest of a line that is none is passed over: it could be as long as the disk.
    if (rest.length <= longestLine) rest += begin;
    for (const line of others) {
      if (rest !== '') yield rest;
      rest = line;
    }
  }
  if (rest.trim() !== '') yield rest;
}

async function tell(
  terminal: Terminal,
  verdict: Verdict,
  { outside, ownKeys }: { readonly outside: boolean; readonly ownKeys: boolean },
): Promise<void> {
  const { workspace, first, last, entries, anchored, anchored_until: until, problems, more } = verdict;
  const range = first === null ? 'no entries' : `entries ${formatCount(first)} to ${formatCount(last ?? 0)}`;
  await terminal.print(`workspace ${workspace ?? 'unknown'}: ${range}, ${formatCount(anchored)} checkpoints hold`);
  for (const { code, seq, detail } of problems.slice(0, mostShown)) {
    await terminal.print(`${terminal.paint('red', code)}${seq === null ? '' : ` seq=${seq}`}: ${detail}`);
  }
  const left = problems.length - Math.min(problems.length, mostShown) + more;
  if (left > 0) await terminal.print(`... and ${formatCount(left)} more`);
  if (!outside) {
    terminal.note(
      'No checkpoints from outside were given: a log that was rewritten as a whole, or cut off, would not show.',
    );
  } else if (ownKeys) {
    terminal.note(
      'The keys lay beside the checkpoints. Keep a copy of keys.json elsewhere, and name it with --public-key.',
    );
  }
  const open = (last ?? 0) - until;
  if (problems.length === 0 && outside && entries > 0 && open > 0) {
    terminal.note(
      `The last ${formatCount(open)} entries have no checkpoint yet, which takes up to 60 s: that these were cut off only the counts in between would show.`,
    );
  }
  await terminal.print(
    problems.length === 0 ? 'The chain is whole.' : terminal.paint('red', 'The log is not what was written.'),
  );
}
