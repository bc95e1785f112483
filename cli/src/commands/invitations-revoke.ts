import { DamaskError } from '@damask/sdk';
import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { InputError } from '../input-error.ts';

export const invitationsRevoke = defineCommand({
  name: 'invitations revoke',
  usage: '<id> [flags]',
  about: 'Revokes an invitation at once: nobody becomes a member with its link. `damask invitations` lists the ids.',
  flags: { ...jsonFlag, ...reasonFlag, ...serverFlags },
  positionals: [1, 1],
  examples: ['damask invitations revoke 0199a000-0000-7000-8000-000000000001'],
  async run({ flags, positionals, terminal, connect }) {
    const [id = ''] = positionals;
    const { damask } = await connect();
    const invitation = await damask.invitations.revoke({ invitation: id.toLowerCase() }).catch((error: unknown) => {
      if (!(error instanceof DamaskError) || (error.code !== 'not_found' && error.pointer !== '/invitation'))
        throw error;
      throw new InputError(
        `There is no invitation with the id ${id}. \`damask invitations\` lists the ids.`,
        'notFound',
      );
    });
    if (flags.json) return terminal.print(JSON.stringify(invitation, null, 2));
    const { state, member } = invitation;
    if (state === 'revoked') terminal.note(`Invitation ${invitation.id} is revoked.`);
    else if (state === 'expired') terminal.note(`Invitation ${invitation.id} was over already.`);
    else terminal.note(`It was accepted before. To end that membership: damask members remove ${member}`);
  },
});
