import type { PutRoleInput } from '@damask/sdk';
import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { UsageError } from '../usage-error.ts';

export const rolesSet = defineCommand({
  name: 'roles set',
  usage: '<name> --permission <permission>... [flags]',
  about:
    'Makes a role of the workspace, or replaces what it holds. It is given as custom:<name> and holds no more than you do.',
  flags: {
    permission: {
      type: 'string',
      multiple: true,
      value: '<permission>',
      help: 'What it holds, such as run:read; repeatable.',
    },
    description: { type: 'string', value: '<text>', help: 'What it is for.' },
    ...jsonFlag,
    ...reasonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  examples: ['damask roles set reviewer --permission run:read --permission run:decide'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const permissions = [...(flags.permission ?? [])] as PutRoleInput['permissions'];
    if (permissions.length === 0) {
      throw new UsageError(
        `What does it hold? For example: damask roles set ${name || 'reviewer'} --permission run:read`,
      );
    }
    const { damask } = await connect();
    const role = await damask.roles.put({
      custom_role: name.replace(/^custom:/, ''),
      permissions,
      description: flags.description,
    });
    if (flags.json) return terminal.print(JSON.stringify(role, null, 2));
    terminal.note(`${role.role} holds ${role.permissions.join(', ')}.`);
  },
});
