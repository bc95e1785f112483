import { defineCommand, jsonFlag } from '../command.ts';
import { interruptions } from '../interruptions.ts';
import { createProgressBar } from '../progress-bar.ts';

export const modelPull = defineCommand({
  name: 'model pull',
  usage: '[flags]',
  about:
    'Fetches the small local model that runs without any provider, checks its hash and prints where it is. The server\n' +
    'does the work; DAMASK_MODEL_PATH, DAMASK_MODEL_URL and DAMASK_MODEL_SHA256 tell it to take another one.',
  flags: { ...jsonFlag },
  positionals: [0, 0],
  examples: ['damask model pull'],
  async run({ flags, config, terminal }) {
    const { pullModel } = await import('../own-server.ts');
    const path = await pullModel(
      config,
      interruptions(terminal),
      createProgressBar(terminal, 'fetching the local model'),
    );
    await terminal.print(flags.json ? JSON.stringify({ path }) : path);
  },
});
