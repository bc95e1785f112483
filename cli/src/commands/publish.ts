import { DamaskError, type SetLabelInput } from '@damask/sdk';
import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { type Published, publishOrCreate, readPatternFolder } from '../publish-folder.ts';
import { showDifference } from '../show-difference.ts';
import { printable } from '../terminal.ts';

type WarningCode = NonNullable<SetLabelInput['accept']>[number];

export const publish = defineCommand({
  name: 'publish',
  usage: '<folder> [flags]',
  about:
    'Publishes a folder with a system.md, or with the pattern.yaml of a chain, as the newest version of the pattern with\n' +
    "the folder's name, and creates the pattern when it is new. Content that is already published makes no new version.\n" +
    'The path of a system.md or pattern.yaml is that of its folder.',
  flags: {
    name: {
      type: 'string',
      value: '<pattern>',
      completes: 'patterns',
      help: "The pattern, where it is not the folder's name.",
    },
    message: { type: 'string', value: '<text>', help: 'Why this version exists.' },
    label: { type: 'string', value: '<label>', help: 'Point this label at the version, too.' },
    accept: {
      type: 'string',
      multiple: true,
      value: '<warning>',
      help: 'Take this warning as it is where the label is production: untrusted_in_system or invisible_text.',
    },
    'dry-run': { type: 'boolean', help: 'Only check it and show what would change.' },
    ...jsonFlag,
    ...reasonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  completes: ['files'],
  examples: [
    'damask publish ./summarize --message "Shorter answers"',
    'damask publish ./summarize --dry-run',
    'damask publish ./summarize --label stable',
  ],
  async run({ flags, positionals, terminal, connect }) {
    const { name, files, ignored } = readPatternFolder(positionals[0] ?? '');
    for (const { path, reason } of ignored) terminal.note(`left out ${path}: ${reason}`);
    const pattern = flags.name ?? name;
    const warn = ({ warnings = [] }: Published) => {
      for (const { file, line, detail } of warnings) terminal.note(printable(`${file} line ${line} ${detail}`));
    };
    const { damask } = await connect();
    if (flags['dry-run']) {
      const newest = await damask.patterns.read({ pattern }).catch((error: unknown) => {
        if (error instanceof DamaskError && error.code === 'not_found') return undefined;
        throw error;
      });
      const before = newest ? await damask.patterns.readVersion({ pattern, version: newest.version }) : undefined;
      const from = { name: before ? `${pattern}@${before.version}` : 'nothing', files: before?.files ?? [] };
      const changed = await showDifference(terminal, from, { name: positionals[0] ?? '', files });
      // Whoever checks a folder in a pipeline wants to know that it would be taken.
      warn(await publishOrCreate(damask, { pattern, files, dry_run: true }));
      return terminal.note(changed ? `${pattern} would get a new version.` : 'Nothing would change.');
    }
    const published = await publishOrCreate(damask, { pattern, files, message: flags.message });
    warn(published);
    if (flags.label !== undefined) {
      const accept = flags.accept.length > 0 ? { accept: flags.accept as WarningCode[] } : {};
      await damask.patterns.setLabel({ pattern, label: flags.label, version: published.version, ...accept });
    }
    if (flags.json) return terminal.print(JSON.stringify(published, null, 2));
    const label = flags.label === undefined ? '' : ` (${flags.label})`;
    await terminal.print(`${pattern}@${published.version}${label} ${published.digest}`);
  },
});
