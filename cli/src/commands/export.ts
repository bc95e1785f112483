import { statSync, writeFileSync } from 'node:fs';
import type { Damask } from '@damask/sdk';
import { collectItems } from '../collect-items.ts';
import { defineCommand, serverFlags } from '../command.ts';
import { explainMissingPattern } from '../explain-missing-pattern.ts';
import { readConversations } from '../export-conversations.ts';
import { formatNumber } from '../figures.ts';
import { InputError } from '../input-error.ts';
import { UsageError } from '../usage-error.ts';
import { type ArchiveFile, type ArchiveKind, writeArchive } from '../write-archive.ts';
import { refusePaths, writeTree } from '../write-tree.ts';

export const exportTree = defineCommand({
  name: 'export',
  usage: '<folder|file.zip|file.tar|file.tgz|-> [pattern...] [flags]',
  about:
    "Writes the newest versions of all patterns, or of those that are named, in Fabric's tree: byte for byte what was\n" +
    'imported or published. Strategies, descriptions and tags come along. With - a tar goes to the standard output.\n' +
    '`damask import` takes all of it back.',
  flags: {
    contexts: { type: 'boolean', help: 'Contexts too.' },
    sessions: { type: 'boolean', help: 'Sessions too, as Fabric keeps them.' },
    home: { type: 'boolean', help: "Lay it out as Fabric's own folder, ~/.config/fabric, instead of its repository." },
    force: { type: 'boolean', short: 'f', help: 'Overwrite files that differ.' },
    ...serverFlags,
  },
  positionals: [1, 100],
  completes: ['files', 'patterns'],
  examples: [
    'damask export ./library',
    'damask export library.zip',
    'damask export ~/.config/fabric --home --contexts --sessions',
    'damask export - summarize translate | tar x',
  ],
  async run({ flags, positionals, terminal, connect }) {
    const [to = '', ...patterns] = positionals;
    const kind = kindOf(to);
    if (kind === undefined && /\.(?:rar|7z|gz|bz2|tbz2?|xz|txz|zst)$/i.test(to))
      throw new UsageError(`${to} would be a folder. An archive ends in .zip, .tar, .tgz or .tar.gz.`);
    if (to === '-' && terminal.stdoutIsTerminal) {
      throw new UsageError('A tar is no text for a terminal. Send it on: damask export - | tar x');
    }
    if (kind !== undefined && to !== '-' && !flags.force && statSync(to, { throwIfNoEntry: false })) {
      throw new InputError(`${to} is there already. Name another file, or overwrite it with --force.`);
    }
    const { damask } = await connect();
    terminal.status('reading patterns ...');
    const listed: ArchiveFile[] = [];
    // A list of names has to fit into an address.
    for (let at = 0; at === 0 || at < patterns.length; at += 50) {
      const pattern = patterns.slice(at, at + 50);
      const page = damask.exports.listAll(pattern.length > 0 ? { pattern } : {});
      listed.push(
        ...(await collectItems(page).catch(async (error: unknown) => {
          throw await explainMissing(damask, pattern, error);
        })),
      );
    }
    const beside = await readConversations(damask, flags);
    const files = [...layOut(listed, flags.home === true), ...beside];
    terminal.status('');
    if (files.length === 0)
      throw new InputError('There is nothing to export: the workspace has no patterns.', 'notFound');
    refusePaths(files, to);
    const written = kind === undefined ? writeTree(to, files, flags.force === true) : files.length;
    if (to === '-') await terminal.bytes(writeArchive('tar', files));
    else if (kind !== undefined) writeOut(to, writeArchive(kind, files));
    const count = new Set(files.flatMap(({ path }) => /^(?:data\/)?patterns\/([^/]+)/.exec(path)?.[1] ?? [])).size;
    const already = files.length - written;
    terminal.note(
      `${formatNumber(count, 'pattern')}, ${formatNumber(written, 'file')} written${already > 0 ? `, ${already} were the same` : ''}`,
    );
  },
});

/** The server does not tell which of several patterns is missing. */
async function explainMissing(damask: Damask, patterns: readonly string[], error: unknown): Promise<unknown> {
  for (const pattern of patterns) {
    const explained = await explainMissingPattern(damask, pattern, error);
    if (explained !== error) return explained;
  }
  return error;
}

function kindOf(to: string): ArchiveKind | undefined {
  if (/\.zip$/i.test(to)) return 'zip';
  if (/\.(?:tgz|tar\.gz)$/i.test(to)) return 'tar.gz';
  return to === '-' || /\.tar$/i.test(to) ? 'tar' : undefined;
}

function writeOut(to: string, bytes: Buffer): void {
  try {
    writeFileSync(to, bytes);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(`${to} could not be written (${code}). Name a file that you can write.`);
  }
}

function layOut(files: readonly ArchiveFile[], home: boolean): readonly ArchiveFile[] {
  return home ? files.map(({ path, content }) => ({ path: path.replace(/^data\//, ''), content })) : files;
}
