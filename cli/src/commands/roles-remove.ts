import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';

export const rolesRemove = defineCommand({
  name: 'roles remove',
  usage: '<name> [flags]',
  about: 'Deletes a role of the workspace that nobody has any more.',
  flags: { ...jsonFlag, ...reasonFlag, ...serverFlags },
  positionals: [1, 1],
  examples: ['damask roles remove reviewer'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const { damask } = await connect();
    const role = await damask.roles.delete({ custom_role: name.replace(/^custom:/, '') });
    if (flags.json) return terminal.print(JSON.stringify(role, null, 2));
    terminal.note(`The role ${role.role} is deleted.`);
  },
});
