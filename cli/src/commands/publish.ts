import { basename, resolve } from 'node:path';
import { type Damask, DamaskError, type PatternFile } from '@damask/sdk';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { InputError } from '../input-error.ts';
import { readFolder } from '../read-tree.ts';

export const publish = defineCommand({
  name: 'publish',
  usage: '<folder> [flags]',
  about:
    "Publishes a folder with a system.md as the newest version of the pattern with the folder's name, and creates the\n" +
    'pattern when it is new. Content that is already published makes no new version.',
  flags: {
    name: { type: 'string', value: '<pattern>', help: "The pattern's name, where it is not the folder's." },
    message: { type: 'string', value: '<text>', help: 'Why this version exists.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  examples: ['damask publish ./summarize --message "Shorter answers"'],
  async run({ flags, positionals, terminal, connect }) {
    const [folder = ''] = positionals;
    const { files, ignored } = readFolder(folder);
    if (!files.some(({ path }) => path === 'system.md')) {
      throw new InputError(`${folder} has no system.md. Name the folder of one pattern.`);
    }
    for (const { path, reason } of ignored) terminal.note(`left out ${path}: ${reason}`);
    const pattern = flags.name ?? basename(resolve(folder));
    const { damask } = await connect();
    const published = await publishOrCreate(damask, { pattern, files, message: flags.message });
    if (flags.json) return terminal.print(JSON.stringify(published, null, 2));
    await terminal.print(`${pattern}@${published.version} ${published.digest}`);
  },
});

async function publishOrCreate(
  damask: Damask,
  input: { pattern: string; files: readonly PatternFile[]; message: string | undefined },
): Promise<{ version: number; digest: string }> {
  try {
    return await damask.patterns.publish(input);
  } catch (error) {
    if (!(error instanceof DamaskError) || error.code !== 'not_found') throw error;
    const { pattern, ...content } = input;
    return damask.patterns.create({ name: pattern, ...content });
  }
}
