import { statSync } from 'node:fs';
import { DamaskError, type Pattern, type VersionDiff } from '@damask/sdk';
import { checkVersion } from '../check-version.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { explainMissingPattern } from '../explain-missing-pattern.ts';
import { InputError } from '../input-error.ts';
import { holdsPattern } from '../pattern-folder.ts';
import { readPatternFolder } from '../publish-folder.ts';
import { paintDiffLine, showDifference } from '../show-difference.ts';
import { printable, type Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

export const diff = defineCommand({
  name: 'diff',
  usage: '<pattern>|<folder> [from] [to] [flags]',
  about:
    'Shows how two versions of a pattern differ: the newest and the one before it, or those that you name by number or\n' +
    'label. For a folder it shows what publishing it would change.',
  flags: {
    name: {
      type: 'string',
      value: '<pattern>',
      completes: 'patterns',
      help: "The pattern, where it is not the folder's name.",
    },
    'exit-code': { type: 'boolean', help: 'Exit with 1 when they differ, for scripts.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [1, 3],
  completes: ['patterns', 'files'],
  examples: ['damask diff summarize', 'damask diff summarize 2 stable', 'damask diff ./summarize'],
  async run({ flags, positionals, terminal, connect }) {
    const [subject = '', from, to] = positionals;
    const { damask } = await connect();
    const folder = isPatternFolder(subject, to) ? readPatternFolder(subject) : undefined;
    if (folder && !subject.includes('/')) {
      terminal.note(`This compares the folder ./${subject}. Name two versions to compare those.`);
    }
    if (folder && to !== undefined)
      throw new UsageError('A folder is compared with one version: damask diff <folder> [version]');
    const name = flags.name ?? folder?.name ?? subject;
    const pattern = await damask.patterns.read({ pattern: name }).catch(async (error: unknown) => {
      if (folder && error instanceof DamaskError && error.code === 'not_found')
        throw new InputError(
          `${name} is not published yet. To see what it would be: damask publish ${subject} --dry-run`,
          'notFound',
        );
      throw await explainMissingPattern(damask, name, error);
    });
    const before = versionOf(pattern, from ?? String(folder ? pattern.version : Math.max(1, pattern.version - 1)));
    if (folder) {
      const { files } = await damask.patterns.readVersion({ pattern: name, version: before });
      const differ = await showDifference(
        terminal,
        { name: `${name}@${before}`, files },
        { name: subject, files: folder.files },
      );
      if (!differ) terminal.note(`${name}@${before} and ${subject} are the same.`);
      return differ && flags['exit-code'] ? 1 : 0;
    }
    const after = versionOf(pattern, to ?? String(pattern.version));
    const found = await damask.patterns.diff({ pattern: name, from: before, to: after });
    const differ = found.files.length + found.settings.length > 0;
    if (flags.json) await terminal.print(JSON.stringify(found, null, 2));
    else if (differ) await terminal.print(describe(found, terminal));
    else terminal.note(`${name}@${before} and ${name}@${after} are the same.`);
    return differ && flags['exit-code'] ? 1 : 0;
  },
});

// A bare name with two versions is that of a pattern, also where a folder has it.
function isPatternFolder(subject: string, to: string | undefined): boolean {
  if (to !== undefined && !subject.includes('/')) return false;
  if (holdsPattern(subject)) return true;
  if (subject.endsWith('system.md') && statSync(subject, { throwIfNoEntry: false })?.isFile()) return true;
  if (subject.includes('/'))
    throw new InputError(`${subject} has no system.md. Name the folder of one pattern.`, 'notFound');
  return false;
}

function describe({ pattern, from, to, files, settings }: VersionDiff, { paint }: Terminal): string {
  const texts = files.flatMap(({ path, change, diff: text, cut }) => {
    const before = change === 'added' ? 'nothing' : `${pattern}@${from}/${path}`;
    const after = change === 'removed' ? 'nothing' : `${pattern}@${to}/${path}`;
    return [
      paint('bold', printable(`--- ${before}`)),
      paint('bold', printable(`+++ ${after}`)),
      ...text
        .trimEnd()
        .split('\n')
        .filter((line) => !/^(---|\+\+\+) /.test(line))
        .map((line) => paintDiffLine(paint, line)),
      ...(cut ? [paint('yellow', '(there is more: damask show has both texts)')] : []),
    ];
  });
  const changes = settings.map(({ field, before, after }) =>
    printable(`${field}: ${before ?? 'none'} → ${after ?? 'none'}`),
  );
  return [
    ...texts,
    ...(changes.length > 0 ? [paint('bold', 'Settings'), ...changes.map((line) => `  ${line}`)] : []),
  ].join('\n');
}

function versionOf(pattern: Pattern, wanted: string): number {
  const version = /^[1-9]\d{0,8}$/.test(wanted) ? Number(wanted) : pattern.labels[wanted];
  if (version !== undefined) checkVersion(pattern, version);
  if (version === undefined) {
    const labels = Object.keys(pattern.labels);
    const known = labels.length > 0 ? ` Its labels: ${labels.join(', ')}.` : ' It has no labels.';
    throw new InputError(`${pattern.name} has no label '${wanted}'.${known} Or name a version by number.`, 'notFound');
  }
  return version;
}
