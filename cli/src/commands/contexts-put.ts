import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatBytes } from '../figures.ts';
import { InputError } from '../input-error.ts';
import { readInput } from '../read-input.ts';
import { readTextFile } from '../read-text-file.ts';

export const contextsPut = defineCommand({
  name: 'contexts put',
  usage: '<context> [file] [flags]',
  about: 'Makes a context of a file, or of the standard input, or replaces the one of this name. At most 1 MiB.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [1, 2],
  completes: ['contexts', 'files'],
  examples: ['damask contexts put team about-us.md', 'cat style.md rules.md | damask contexts put house'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = '', path] = positionals;
    const content = path === undefined ? await readInput([], terminal) : readTextFile(path);
    if (content === undefined) throw new InputError(`There is no file ${path}. Check the path.`, 'notFound');
    if (content.trim() === '') throw new InputError('The text is empty. A context has to say something.');
    const { damask } = await connect();
    const context = await damask.contexts.put({ context: name, content });
    if (flags.json) return terminal.print(JSON.stringify(context, null, 2));
    await terminal.print(`${context.name}, ${formatBytes(context.bytes)}`);
  },
});
