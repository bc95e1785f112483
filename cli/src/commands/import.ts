import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { InputError } from '../input-error.ts';
import { printImportReport } from '../print-import-report.ts';
import { readOrigin } from '../read-git-origin.ts';
import { readTree } from '../read-tree.ts';
import { UsageError } from '../usage-error.ts';

export const importTree = defineCommand({
  name: 'import',
  usage: '<folder> [flags]',
  about:
    'Imports patterns and strategies from a clone of Fabric, a folder of patterns, or one pattern: all of it or, on a\n' +
    'conflict, nothing. A pattern that was edited here since its last import is a conflict. Hidden files, links,\n' +
    'node_modules, files over 1 MiB and files that are not UTF-8 are left out.',
  flags: {
    keep: { type: 'boolean', help: 'On a conflict, keep what was edited here.' },
    replace: { type: 'boolean', help: 'On a conflict, take what the folder has.' },
    'dry-run': { type: 'boolean', help: 'Only report what would happen.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  examples: ['damask import ~/fabric', 'damask import ./my-patterns --dry-run', 'damask import ~/fabric --keep'],
  async run({ flags, positionals, terminal, connect }) {
    const [folder = ''] = positionals;
    if (flags.keep && flags.replace) throw new UsageError('Choose one of --keep and --replace.');
    const { files, ignored } = readTree(folder);
    if (files.length === 0) {
      throw new InputError(
        `${folder} holds no patterns. Name a clone of Fabric, or a folder of folders that each hold a system.md.`,
      );
    }
    const { damask } = await connect();
    const report = await damask.imports.create({
      files,
      origin: readOrigin(folder),
      on_conflict: flags.keep ? 'keep' : flags.replace ? 'replace' : 'fail',
      dry_run: flags['dry-run'] === true,
    });
    const whole = { ...report, ignored: [...ignored, ...report.ignored] };
    if (flags.json) return terminal.print(JSON.stringify(whole, null, 2));
    await printImportReport(terminal, whole);
  },
});
