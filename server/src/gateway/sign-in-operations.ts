import type { loginOperations, NewLogin } from '@damask/contracts/login.ts';
import type { signInOperations } from '@damask/contracts/sign-in.ts';
import type { CallContext, Client, Implementation } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { readAccountScript } from './account-page.ts';
import { csrfToken } from './csrf.ts';
import type { FailedLogins } from './failed-logins.ts';
import { requireCookie } from './require-cookie.ts';
import { slowDown } from './slow-down.ts';
import type { Visit, Visits } from './visits.ts';

export interface SignInOptions {
  readonly identity: Client<typeof loginOperations>;
  readonly visits: Visits;
  readonly failedLogins: FailedLogins;
  /** Looks for new login sessions now. */
  readonly refresh: () => Promise<void>;
  readonly clock: Clock;
  readonly accountPage: () => string;
}

/** What sets and clears the cookie of a browser. */
export function createSignInOperations(options: SignInOptions): Implementation<typeof signInOperations> {
  const { identity, visits, failedLogins, clock } = options;
  // Who just signed in is recognised at once here; other edges follow within a second.
  const refresh = () => options.refresh().catch(() => undefined);

  function keep(visit: Visit, { secret, session }: NewLogin) {
    visit.keep({ secret, seconds: (Date.parse(session.expires_at) - clock.now()) / 1_000 });
  }

  async function signIn(context: CallContext, make: (visit: Visit) => Promise<NewLogin>) {
    const visit = visits.of(context);
    visit.requireOwnPage();
    // A browser must not get a cookie where it would send it unencrypted to strangers.
    visit.origin();
    const made = await make(visit).catch((error: unknown) => {
      throw slowDown(error, failedLogins, visit.told.address);
    });
    await refresh();
    keep(visit, made);
    return { account: made.account };
  }

  return {
    readAccountPage: async () => options.accountPage(),
    readAccountScript: async (_, { script }) => readAccountScript(script),
    async readLogin(context) {
      const { secret } = visits.of(context);
      const read = await identity.readAccount(context, { login_session: context.actor.session as string });
      return { ...read, csrf: secret === undefined ? null : csrfToken(secret) };
    },
    signInWithLink: (context, { link }) =>
      signIn(context, ({ told }) => identity.redeemLoginLink(context, { link, visit: told })),
    async createLoginLink(context) {
      // Before anything is made: a link that leads nowhere helps nobody.
      const origin = visits.of(context).origin();
      const { link, ...made } = await identity.issueLoginLink(context, {});
      await refresh();
      return { ...made, url: `${origin}/account#link=${link}` };
    },
    async startPasskeySignIn(context) {
      const visit = visits.of(context);
      visit.requireOwnPage();
      return identity.startPasskeyLogin(context, { origin: visit.origin() });
    },
    signInWithPasskey: (context, { passkey, state }) =>
      signIn(context, ({ told, origin }) =>
        identity.finishPasskeyLogin(context, { origin: origin(), passkey, state, visit: told }),
      ),
    async signOut(context) {
      const visit = visits.of(context);
      await identity.endLoginSession(context, { login_session: context.actor.session as string });
      await refresh();
      visit.forget();
      return {};
    },
    startPasskey: async (context) => {
      const visit = visits.of(context);
      requireCookie(visit, 'Passkeys are added');
      return identity.startNewPasskey(context, { origin: visit.origin(), account: context.actor.id });
    },
    async addPasskey(context, { name, passkey, state }) {
      const visit = visits.of(context);
      requireCookie(visit, 'Passkeys are added');
      const made = await identity.finishNewPasskey(context, {
        origin: visit.origin(),
        login_session: context.actor.session as string,
        name,
        passkey,
        state,
        visit: visit.told,
      });
      await refresh();
      keep(visit, made.login);
      return made.passkey;
    },
  };
}
