import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { findMember } from '../find-member.ts';
import { isRole, roleNames } from '../role-names.ts';
import { UsageError } from '../usage-error.ts';

export const membersSet = defineCommand({
  name: 'members set',
  usage: '<id or email> --role <role> [flags]',
  about: 'Gives a member another role. Nobody changes their own, and nobody gives more than they hold.',
  flags: {
    role: { type: 'string', value: '<role>', help: `One of ${roleNames}.` },
    ...jsonFlag,
    ...reasonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  examples: ['damask members set ada@example.com --role author'],
  async run({ flags, positionals, terminal, connect }) {
    const [who = ''] = positionals;
    const { role } = flags;
    if (!isRole(role)) throw new UsageError(`Say which role: --role takes one of ${roleNames}.`);
    const { damask } = await connect();
    const member = await damask.members.change({ member: await findMember(damask, who), role });
    if (flags.json) return terminal.print(JSON.stringify(member, null, 2));
    terminal.note(`${member.name} has the role ${member.role}.`);
  },
});
