import { call, login, setLogin } from './call.mjs';
import { button, clear, element, field, say, when } from './elements.mjs';
import { signInWithPasskey } from './passkeys.mjs';

/** What somebody sees who opened an invitation. Nothing is used up before they choose. `done` shows what is theirs then. */
export async function showInvitation(main, secret, done) {
  const [known, shown] = await Promise.all([
    call('GET', '/v1/login'),
    call('POST', '/v1/login/invitation/options', { secret }),
  ]);
  setLogin(known.ok ? known.body : undefined);
  if (!shown.ok) {
    const home = element('a', { href: '/account' }, 'Go to your account');
    clear(main, element('h1', {}, 'Invitation'), say(shown.body.detail), element('p', {}, home));
    return;
  }
  const { workspace, role, invited_by, expires_at } = shown.body;
  const note = say('');
  const attempt = async (answer, then) => {
    if (answer.ok) await then(answer.body);
    else note.textContent = answer.body.detail;
  };
  const again = () => showInvitation(main, secret, done);
  clear(
    main,
    element('h1', {}, `Join ${workspace}`),
    element('p', {}, `${invited_by} invites you to the workspace ${workspace}, with the role ${role}.`),
    element('p', {}, `You can accept once, until ${when(expires_at)}.`),
    ...(login() ? asSignedIn(secret, attempt, done, again) : asNew(secret, shown.body, attempt, done, again)),
    ...shown.body.providers.map(({ login: provider, name }) => {
      const go = button(`Accept by signing in with ${name}`, async () => {
        const answer = await call('POST', '/v1/login/invitation/provider', { secret, login: provider });
        await attempt(answer, ({ location: place }) => {
          location.href = place;
        });
      });
      go.id = `join-by-${name}`;
      return element('p', {}, go);
    }),
    note,
  );
}

function asSignedIn(secret, attempt, done, again) {
  const join = button(`Join as ${login().account.name}`, async () =>
    attempt(await call('POST', '/v1/me/invitations', { secret }), () => done('You are a member now.')),
  );
  join.id = 'join-signed-in';
  const out = button('Sign out to join as somebody else', async () => {
    await call('DELETE', '/v1/login');
    await again();
  });
  return [element('p', {}, join), element('p', {}, out)];
}

function asNew(secret, { name, email, provider_only }, attempt, done, again) {
  const known = button('Sign in with a passkey first', async () => attempt(await signInWithPasskey(), again));
  known.id = 'join-passkey';
  const signIn = window.PublicKeyCredential ? [element('p', {}, 'You have an account here already? ', known)] : [];
  if (provider_only) return signIn;
  const called = field('Your name', 'join-name');
  called.value = name ?? '';
  const join = button('Join', async () =>
    attempt(await call('POST', '/v1/login/invitation', { secret, name: called.value }), () =>
      done('You are a member now. Add a passkey below: the invitation has signed you in this once.'),
    ),
  );
  join.id = 'join-as-new';
  const address = email === null ? [] : [` (${email})`];
  return [element('p', {}, called, ...address, ' ', join), ...signIn];
}
