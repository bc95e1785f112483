import { defineCommand, jsonFlag, serverFlags } from '../command.ts';

export const keysRevoke = defineCommand({
  name: 'keys revoke',
  usage: '<id> [flags]',
  about: 'Revokes an API key at once. `damask keys` lists the ids.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [1, 1],
  examples: ['damask keys revoke 0199a000-0000-7000-8000-000000000001'],
  async run({ flags, positionals, terminal, connect }) {
    const { damask } = await connect();
    const key = await damask.keys.revoke({ key: positionals[0] ?? '' });
    if (flags.json) return terminal.print(JSON.stringify(key, null, 2));
    terminal.note(`Key ${key.id} (${key.name}) is revoked.`);
  },
});
