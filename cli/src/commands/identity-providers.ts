import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { printList } from '../print-list.ts';

export const identityProviders = defineCommand({
  name: 'identity-providers',
  usage: '[flags]',
  about: 'Lists the identity providers (OpenID Connect) that people of the workspace sign in by.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: ['damask identity-providers'],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    await printList(terminal, flags.json, await collectItems(damask.identityProviders.listAll()), {
      columns: [
        { title: 'NAME' },
        { title: 'ISSUER' },
        { title: 'ROLES', least: 8 },
        { title: 'SIGN IN AT', least: 12 },
      ],
      row: ({ name, issuer, roles, default_role, login_url }) => [
        name,
        issuer,
        [
          ...roles.map(({ group, role }) => `${group}=${role}`),
          ...(default_role === null ? [] : [`else ${default_role}`]),
        ].join(', ') || 'nobody gets in',
        login_url ?? 'nowhere: set DAMASK_PUBLIC_URL',
      ],
      empty:
        'There are none. Add one: damask identity-providers set corp --issuer https://login.example.com --client-id damask',
    });
  },
});
