import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { formatTime } from '../figures.ts';
import { isRole, roleNames } from '../role-names.ts';
import { UsageError } from '../usage-error.ts';

export const membersInvite = defineCommand({
  name: 'members invite',
  usage: '[<email>] --role <role> [flags]',
  about:
    'Makes a link that makes whoever opens it a member, once, and prints it alone on stdout. Nobody gives more than they\n' +
    'hold. No mail is sent: bring the link to the person yourself. It lasts seven days unless told.',
  flags: {
    role: { type: 'string', value: '<role>', help: `One of ${roleNames}.` },
    name: { type: 'string', value: '<name>', help: 'What the person is called; they can change it.' },
    expires: { type: 'string', value: '<date>', help: 'Until when it can be accepted, in thirty days at the latest.' },
    ...jsonFlag,
    ...reasonFlag,
    ...serverFlags,
  },
  positionals: [0, 1],
  examples: ['damask members invite ada@example.com --role author', 'damask invitations'],
  async run({ flags, positionals, terminal, connect }) {
    const [email] = positionals;
    const { role, name } = flags;
    if (!isRole(role)) throw new UsageError(`Say which role: --role takes one of ${roleNames}.`);
    const expires_at = expiryOf(flags.expires);
    const { damask, startedServer } = await connect();
    const invitation = await damask.invitations.create({ email, name, role, expires_at });
    if (flags.json) return terminal.print(JSON.stringify(invitation, null, 2));
    await terminal.print(invitation.url);
    const whom = invitation.email ?? 'Whoever opens it';
    const until = formatTime(invitation.expires_at);
    terminal.note(
      `${whom} becomes ${role} with it, once, until ${until}. It is shown this once: keep it to yourselves.`,
    );
    if (startedServer()) terminal.note('The server of this command ends with it. Start it first: damask serve');
  },
});

function expiryOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) throw new UsageError(`--expires takes a date such as 2027-06-30, not '${text}'.`);
  return at.toISOString();
}
