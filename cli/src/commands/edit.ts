import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Damask, DamaskError, type PatternVersion } from '@damask/sdk';
import { askPerson } from '../ask-person.ts';
import { defineCommand, type Invocation, serverFlags } from '../command.ts';
import { environmentWith } from '../config.ts';
import { explainError } from '../explain-error.ts';
import { explainMissingPattern } from '../explain-missing-pattern.ts';
import { InputError } from '../input-error.ts';
import { mainFileOf } from '../pattern-folder.ts';
import { type Published, readPatternFolder } from '../publish-folder.ts';
import { showDifference } from '../show-difference.ts';

const flags = {
  file: { type: 'string', value: '<path>', help: 'The file to open; system.md by default, pattern.yaml of a chain.' },
  message: { type: 'string', value: '<text>', help: 'Why this version exists.' },
  yes: { type: 'boolean', short: 'y', help: 'Publish without asking.' },
  ...serverFlags,
} as const;

export const edit = defineCommand({
  name: 'edit',
  usage: '<pattern> [flags]',
  about:
    'Opens the newest version of a pattern in $VISUAL or $EDITOR, shows what you changed and publishes it as the next\n' +
    'version when you agree. What is refused, or was changed by somebody else meanwhile, is kept in a file.',
  flags,
  positionals: [1, 1],
  completes: ['patterns'],
  examples: [
    'damask edit summarize',
    'damask edit summarize --file pattern.yaml --message "A better model"',
    'EDITOR="code --wait" damask edit summarize',
  ],
  async run(invocation) {
    const { positionals, flags, terminal, connect } = invocation;
    const [pattern = ''] = positionals;
    if (!flags.yes && !terminal.stdinIsTerminal) {
      throw new InputError('Nobody can be asked here. Add --yes to publish without a question.');
    }
    const { damask } = await connect();
    const version = await readNewest(damask, pattern);
    const file = flags.file ?? mainFileOf(version.files);
    const folder = writeDraft(pattern, version, file);
    try {
      const published = await editUntilPublished(invocation, damask, version, folder);
      rmSync(dirname(folder), { recursive: true, force: true });
      if (published === undefined) return terminal.note('Nothing was changed.');
      return await terminal.print(`${pattern}@${published.version} ${published.digest}`);
    } catch (error) {
      if (error instanceof Declined) return terminal.note(`Nothing is published. Your text is kept in ${folder}`);
      terminal.note(
        `Nothing is published. Your text is kept in ${folder}\n  Compare it: damask diff ${folder}\n  Publish it: damask publish ${folder}`,
      );
      throw error;
    }
  },
});

/** The person said no. */
class Declined extends Error {}

/** Resolves to what was published; undefined when nothing was changed. */
async function editUntilPublished(
  invocation: EditInvocation,
  damask: Damask,
  { pattern, version, files: before }: PatternVersion,
  folder: string,
): Promise<Published | undefined> {
  const { flags, terminal, config } = invocation;
  const { runEditor } = await import('../child-process.ts');
  const editor = config.editor ?? 'vi';
  const file = flags.file ?? mainFileOf(before);
  for (;;) {
    const code = await runEditor(editor, join(folder, file), environmentWith({}));
    if (code !== 0) throw new InputError(`The editor (${editor}) ended with code ${code}. EDITOR chooses another one.`);
    const { files } = readPatternFolder(folder);
    if (
      !(await showDifference(terminal, { name: `${pattern}@${version}`, files: before }, { name: 'edited', files }))
    ) {
      return undefined;
    }
    const next = { pattern, files, message: flags.message, base_version: version };
    try {
      // Checked first: nobody is asked about what cannot be published.
      if (!flags.yes) await damask.patterns.publish({ ...next, dry_run: true });
      const answer = await decide(invocation, `Publish it as ${pattern}@${version + 1}? [y]es, [e]dit again, [n]o:`);
      if (answer === 'n') throw new Declined();
      if (answer === 'y') return await damask.patterns.publish(next);
    } catch (error) {
      if (!(await wantsToMend(invocation, error))) throw error;
    }
  }
}

async function readNewest(damask: Damask, pattern: string): Promise<PatternVersion> {
  try {
    const { version } = await damask.patterns.read({ pattern });
    return await damask.patterns.readVersion({ pattern, version });
  } catch (error) {
    throw await explainMissingPattern(damask, pattern, error);
  }
}

/** Writes the files into a folder of their own, which has the pattern's name, so that it can be published as it is. */
function writeDraft(pattern: string, { files }: PatternVersion, file: string): string {
  if (!/^[a-z0-9][a-z0-9_-]*$/.test(pattern)) throw new InputError(`${pattern} is not the name of a pattern.`);
  const folder = join(mkdtempSync(join(tmpdir(), 'damask-edit-')), pattern);
  const all = files.some(({ path }) => path === file) ? files : [...files, { path: file, content: '' }];
  for (const { path, content } of all) {
    // The server refuses such names; this program writes no file elsewhere because a server says so.
    if (path.startsWith('/') || path.split(/[/\\]/).includes('..')) {
      throw new InputError(`${path} is no path inside a pattern. Name one such as pattern.yaml.`);
    }
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

type EditInvocation = Invocation<typeof flags>;

async function decide({ flags, terminal }: EditInvocation, question: string): Promise<'y' | 'e' | 'n'> {
  if (flags.yes) return 'y';
  for (;;) {
    const answer = (await askPerson(terminal, question)).toLowerCase();
    if (['y', 'yes', 'j', 'ja'].includes(answer)) return 'y';
    if (['e', 'edit'].includes(answer)) return 'e';
    if (['n', 'no', ''].includes(answer)) return 'n';
  }
}

/** Tells what is wrong with the pattern and asks whether to mend it now. Other errors cannot be mended so. */
async function wantsToMend({ flags, terminal, config }: EditInvocation, error: unknown): Promise<boolean> {
  if (!(error instanceof DamaskError) || error.code !== 'invalid_pattern' || flags.yes) return false;
  explainError(error, config, terminal);
  if (/^y/i.test(await askPerson(terminal, 'Edit again? [y]es, [n]o:'))) return true;
  throw new Declined();
}
