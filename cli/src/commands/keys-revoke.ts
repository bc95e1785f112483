import { DamaskError } from '@damask/sdk';
import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { InputError } from '../input-error.ts';

export const keysRevoke = defineCommand({
  name: 'keys revoke',
  usage: '<id> [flags]',
  about: 'Revokes an API key at once. `damask keys` lists the ids.',
  flags: { ...jsonFlag, ...reasonFlag, ...serverFlags },
  positionals: [1, 1],
  examples: ['damask keys revoke 0199a000-0000-7000-8000-000000000001'],
  async run({ flags, positionals, terminal, connect }) {
    const { damask } = await connect();
    const [id = ''] = positionals;
    const key = await damask.keys.revoke({ key: id.toLowerCase() }).catch((error: unknown) => {
      if (!(error instanceof DamaskError) || (error.code !== 'not_found' && error.pointer !== '/key')) throw error;
      throw new InputError(`There is no key with the id ${id}. \`damask keys\` lists the ids.`, 'notFound');
    });
    if (flags.json) return terminal.print(JSON.stringify(key, null, 2));
    terminal.note(`Key ${key.id} (${key.name}) is revoked.`);
  },
});
