import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineCommand, serverFlags } from '../command.ts';
import { InputError } from '../input-error.ts';
import { chainYaml, patternText, patternYaml } from '../pattern-scaffold.ts';
import { publishOrCreate, readPatternFolder } from '../publish-folder.ts';
import { UsageError } from '../usage-error.ts';

export const newPattern = defineCommand({
  name: 'new',
  usage: '<name> [flags]',
  about:
    'Makes the folder of a new pattern, with a system.md to fill and a pattern.yaml whose comments say what it takes;\n' +
    'of a chain the pattern.yaml alone, which runs patterns that are there from the start.\n' +
    'Needs no server, unless you publish it at once.',
  flags: {
    dir: {
      type: 'string',
      value: '<folder>',
      completes: 'files',
      help: 'Make it there; in the current folder by default.',
    },
    title: { type: 'string', value: '<text>', help: 'Its title.' },
    chain: { type: 'boolean', help: 'Make a chain: a pattern.yaml with steps that run other patterns.' },
    publish: { type: 'boolean', help: 'Publish it at once.' },
    ...serverFlags,
  },
  positionals: [1, 1],
  examples: [
    'damask new summarize_call',
    'damask new summarize_call --dir ~/patterns',
    'damask new check_report --chain',
    '$EDITOR summarize_call/system.md && damask publish summarize_call',
  ],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    if (!/^[a-z0-9][a-z0-9_-]{0,99}$/.test(name)) {
      throw new UsageError(
        `'${name}' cannot be the name of a pattern: it takes lower case letters, digits, _ and -, and begins with a letter or digit. For example: damask new summarize_call`,
      );
    }
    const folder = join(flags.dir ?? '.', name);
    if (existsSync(folder)) throw new InputError(`${folder} is there already. Choose another name, or another --dir.`);
    write(folder, flags.title ?? readable(name), flags.chain === true);
    await terminal.print(folder);
    if (!flags.publish) {
      const file = flags.chain ? 'pattern.yaml' : 'system.md';
      return terminal.note(`Fill ${join(folder, file)}, then: damask publish ${folder}`);
    }
    const { damask } = await connect();
    const { files } = readPatternFolder(folder);
    const published = await publishOrCreate(damask, { pattern: name, files, message: 'New' });
    terminal.note(`Published as ${name}@${published.version}. Edit it with: damask edit ${name}`);
  },
});

function write(folder: string, title: string, chain: boolean): void {
  try {
    // Not recursively: a typing error in --dir should not make folders.
    mkdirSync(folder);
    if (!chain) writeFileSync(join(folder, 'system.md'), patternText(title), { flag: 'wx' });
    writeFileSync(join(folder, 'pattern.yaml'), chain ? chainYaml(title) : patternYaml(title), { flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(`${folder} cannot be made (${code}). Name a folder that is there and writable with --dir.`);
  }
}

function readable(name: string): string {
  const words = name.replaceAll(/[_-]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
