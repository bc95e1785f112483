import type { ImportReport } from '@damask/sdk';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { planConversations } from '../import-conversations.ts';
import { openImport } from '../import-source.ts';
import { InputError } from '../input-error.ts';
import { printImportReport } from '../print-import-report.ts';
import { UsageError } from '../usage-error.ts';

export const importTree = defineCommand({
  name: 'import',
  usage: '<folder|archive|https://...> [flags]',
  about:
    'Imports patterns and strategies: from a clone of Fabric, a folder of patterns or one pattern; from a .zip, .tar or\n' +
    '.tar.gz of such a folder; or from a public git repository over https, one commit, which is written down. All of it or,\n' +
    'on a conflict, nothing. A pattern that was edited here since its last import is a conflict; --dry-run shows how it\n' +
    "differs. Fabric's own folder, ~/.config/fabric, brings contexts, sessions and the models of patterns too; of its .env\n" +
    'no key is ever taken. Hidden files, links and node_modules are left out.',
  flags: {
    keep: { type: 'boolean', help: 'On a conflict, keep what was edited here.' },
    replace: { type: 'boolean', help: 'On a conflict, take what is imported.' },
    'dry-run': { type: 'boolean', help: 'Only report what would happen.' },
    ref: {
      type: 'string',
      value: '<name>',
      help: 'Of a repository: branch, tag or commit; also as #name after the address.',
    },
    path: { type: 'string', value: '<folder>', help: 'The folder in a repository or archive where the patterns are.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  completes: ['files'],
  examples: [
    'damask import ~/fabric',
    'damask import ~/.config/fabric --dry-run',
    'damask import https://github.com/danielmiessler/fabric --ref main',
    'damask import patterns.zip --keep',
  ],
  async run({ flags, positionals, terminal, connect }) {
    const [from = ''] = positionals;
    if (flags.keep && flags.replace) throw new UsageError('Choose one of --keep and --replace.');
    const source = openImport(from, { ref: flags.ref, path: flags.path });
    const { damask } = await connect();
    const on_conflict = flags.keep ? 'keep' : flags.replace ? 'replace' : 'fail';
    const dry_run = flags['dry-run'] === true;
    const plan = await planConversations(damask, source, on_conflict);
    const edited = [...plan.contexts, ...plan.sessions].filter(({ outcome }) => outcome === 'conflict');
    if (edited.length > 0 && !dry_run) {
      throw new InputError(
        `Nothing was imported: ${edited.map(({ name }) => name).join(', ')} would lose what is here. Import again with --keep, or --replace.`,
      );
    }
    if (source.slow) terminal.status(`importing ${from} ...`);
    const report: ImportReport = await source.send(damask, { on_conflict, dry_run });
    terminal.status('');
    if (!dry_run) await plan.write();
    const whole = {
      ...report,
      ignored: [...source.ignored, ...report.ignored],
      ignored_total: source.ignored.length + report.ignored_total,
      contexts: plan.contexts,
      sessions: plan.sessions,
    };
    if (flags.json) return terminal.print(JSON.stringify(whole, null, 2));
    await printImportReport(terminal, damask, whole);
    for (const note of source.notes) terminal.note(note);
  },
});
