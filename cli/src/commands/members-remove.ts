import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { findMember } from '../find-member.ts';

export const membersRemove = defineCommand({
  name: 'members remove',
  usage: '<id or email> [flags]',
  about: 'Ends a membership at once. The keys of the member are revoked, and what they queued is refused.',
  flags: { ...jsonFlag, ...reasonFlag, ...serverFlags },
  positionals: [1, 1],
  examples: ['damask members remove ada@example.com'],
  async run({ flags, positionals, terminal, connect }) {
    const [who = ''] = positionals;
    const { damask } = await connect();
    const member = await damask.members.remove({ member: await findMember(damask, who) });
    if (flags.json) return terminal.print(JSON.stringify(member, null, 2));
    terminal.note(`${member.name} is no member any more.`);
  },
});
