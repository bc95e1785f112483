import type { identityProviderOperations } from '@damask/contracts/identity-provider.ts';
import type { invitationOperations, invitationSignInOperations } from '@damask/contracts/invitation.ts';
import type { NewLogin } from '@damask/contracts/login.ts';
import type { CallContext, Client, Implementation } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import type { FailedLogins } from './failed-logins.ts';
import { requireCookie } from './require-cookie.ts';
import { slowDown } from './slow-down.ts';
import { ticketCookie } from './ticket-cookie.ts';
import type { Visit, Visits } from './visits.ts';

type Calls = 'issueInvitation' | 'showInvitation' | 'joinAsNew' | 'joinSignedIn';

/** Where the provider leads who accepts an invitation there: to what is theirs. */
const account = '/account';

/** Links that invite, and the ways to accept one. The secret stands in bodies only, never in an address that is sent. */
export function createInvitationSignIn(options: {
  readonly identity: Pick<Client<typeof invitationOperations>, Calls> &
    Pick<Client<typeof identityProviderOperations>, 'beginSignIn'>;
  readonly visits: Visits;
  readonly failedLogins: FailedLogins;
  /** Looks for new login sessions and members now. */
  readonly refresh: () => Promise<void>;
  readonly clock: Clock;
}): Implementation<typeof invitationSignInOperations> {
  const { identity, visits, failedLogins, clock } = options;

  /** A request of a page of ours, whose failures are counted. */
  async function fromPage<Answer>(context: CallContext, work: (visit: Visit) => Promise<Answer>): Promise<Answer> {
    const visit = visits.of(context);
    visit.requireOwnPage();
    return work(visit).catch((error: unknown) => {
      throw slowDown(error, failedLogins, visit.told.address);
    });
  }

  const enter = (context: CallContext, join: (visit: Visit) => Promise<NewLogin>) =>
    fromPage(context, async (visit) => {
      // A browser must not get a cookie where it would send it unencrypted to strangers.
      visit.origin();
      const { secret, session, account } = await join(visit);
      // Who just came in is recognised at once here; other edges follow within a second.
      await options.refresh().catch(() => undefined);
      visit.keep({ secret, seconds: (Date.parse(session.expires_at) - clock.now()) / 1_000 });
      return { account };
    });

  return {
    async createInvitation(context, input) {
      // Before anything is made: a link that leads nowhere helps nobody.
      const origin = visits.of(context).origin();
      const { invitation, secret } = await identity.issueInvitation(context, input);
      return { ...invitation, url: `${origin}/account#invitation=${secret}` };
    },
    previewInvitation: (context, { secret }) => fromPage(context, () => identity.showInvitation(context, { secret })),
    acceptInvitation: (context, { secret, name }) =>
      enter(context, ({ told }) => identity.joinAsNew(context, { secret, name, visit: told })),
    joinWorkspace: (context, { secret }) =>
      enter(context, (visit) => {
        requireCookie(visit, 'Invitations are accepted');
        return identity.joinSignedIn(context, { secret, visit: visit.told });
      }),
    startInvitationSignIn: (context, { secret, login }) =>
      fromPage(context, async (visit) => {
        const secure = visit.origin().startsWith('https:');
        const asked = { login, return_to: account, invitation: secret };
        const { location, ticket } = await identity.beginSignIn(context, asked);
        visit.response.appendHeader('set-cookie', ticketCookie(ticket, secure));
        return { location };
      }),
  };
}
