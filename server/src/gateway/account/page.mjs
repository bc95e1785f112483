import { call, login, setLogin } from './call.mjs';
import { button, clear, element, field, say, table, when } from './elements.mjs';
import { invitationForm, invitationTable } from './invitations.mjs';
import { showInvitation } from './join.mjs';
import { addPasskey, signInWithPasskey } from './passkeys.mjs';

const main = document.querySelector('main');

/** The workspace stands in the address: two windows may show two of them. */
const chosen = () => new URLSearchParams(location.hash.slice(1)).get('workspace');

async function show(notice = '') {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const link = parameters.get('link');
  const invitation = parameters.get('invitation');
  // Out of the address at once, so that no history keeps it.
  if (link !== null || invitation !== null) history.replaceState(null, '', location.pathname);
  if (invitation !== null) return showInvitation(main, invitation, show);
  const answer = link === null ? await call('GET', '/v1/login') : undefined;
  if (answer?.ok) {
    setLogin(answer.body);
    await showAccount(notice);
  } else showSignIn(link, answer && answer.status !== 401 ? answer.body.detail : '');
}

function showSignIn(link, problem) {
  const note = say(problem);
  const enter = async (attempt) => {
    note.textContent = '';
    const answer = await attempt();
    if (answer.ok) await show();
    else note.textContent = answer.body.detail;
  };
  const byLink = button('Sign in', () => enter(() => call('POST', '/v1/login/link', { link })));
  byLink.id = 'sign-in-with-link';
  const byPasskey = button('Sign in with a passkey', () => enter(signInWithPasskey));
  byPasskey.id = 'sign-in-with-passkey';
  clear(
    main,
    element('h1', {}, 'Sign in'),
    link === null
      ? element('p', {}, 'The owner asks for a link on the machine of the server: ', code('damask login --link'))
      : element('p', {}, 'This link signs you in once. ', byLink),
    ...(link === null && window.PublicKeyCredential ? [element('p', {}, byPasskey)] : []),
    note,
  );
}

async function showAccount(notice) {
  const { account, workspaces } = login();
  const named = workspaces.find((one) => one.id === chosen()) ?? workspaces[0];
  const out = button('Sign out', async () => {
    await call('DELETE', '/v1/login');
    setLogin(undefined);
    showSignIn(null, '');
  });
  out.id = 'sign-out';
  const own = element('div', {});
  const inside = element('div', {});
  clear(
    main,
    element('h1', {}, account.name),
    element('p', { id: 'who' }, account.email ?? 'no e-mail address', ' ', out),
    ...(notice === '' ? [] : [element('p', { id: 'notice', role: 'status' }, notice)]),
    element('h2', {}, 'Workspaces'),
    table(
      ['Name', 'Your role', 'Id'],
      workspaces.map(({ id, name, role }) => [element('a', { href: `#workspace=${id}` }, name), role, code(id)]),
    ),
    own,
    inside,
  );
  await Promise.all([showSessions(own), named ? showWorkspace(inside, named) : undefined]);
}

async function showSessions(place) {
  const [sessions, passkeys] = await Promise.all([
    call('GET', '/v1/me/login-sessions'),
    call('GET', '/v1/me/passkeys'),
  ]);
  const again = () => showSessions(place);
  const note = say('');
  const name = field('Name of the new passkey', 'passkey-name');
  const add = button('Add a passkey', async () => {
    const answer = await addPasskey(name.value || 'passkey');
    if (!answer.ok) {
      note.textContent = answer.body.detail;
      return;
    }
    // The cookie is another one now, and with it the token that writes need.
    setLogin((await call('GET', '/v1/login')).body);
    await again();
  });
  add.id = 'add-passkey';
  const remove = (path, text) =>
    button(text, async () => {
      const answer = await call('DELETE', path);
      if (answer.ok) await again();
      else note.textContent = answer.body.detail;
    });
  clear(
    place,
    element('h2', {}, 'Where you are signed in'),
    table(
      ['Since', 'Last used', 'How', 'From', ''],
      (sessions.body.items ?? []).map((one) => [
        when(one.created_at),
        when(one.seen_at),
        `${one.way}, ${one.kind}`,
        `${one.address} ${one.user_agent}`,
        one.current ? 'here' : remove(`/v1/me/login-sessions/${one.id}`, 'End'),
      ]),
      'sessions',
    ),
    element('h2', {}, 'Passkeys'),
    table(
      ['Name', 'Made', 'Last used', ''],
      (passkeys.body.items ?? []).map((one) => [
        one.name,
        when(one.created_at),
        when(one.used_at),
        remove(`/v1/me/passkeys/${one.id}`, 'Delete'),
      ]),
      'passkeys',
    ),
    ...(window.PublicKeyCredential ? [element('p', {}, name, ' ', add)] : []),
    note,
  );
}

async function showWorkspace(place, { id, name, role }) {
  const read = (path) => call('GET', path, undefined, id);
  const [me, keys, members, invitations, roles, runs] = await Promise.all(
    [
      '/v1/me',
      '/v1/keys?limit=100',
      '/v1/members?limit=100',
      '/v1/invitations?state=open&limit=100',
      '/v1/roles?limit=200',
      '/v1/runs?limit=20',
    ].map(read),
  );
  const may = (permission) => me.body.permissions?.includes(permission) === true;
  const again = () => showWorkspace(place, { id, name, role });
  clear(
    place,
    element('h2', { id: 'workspace' }, `Workspace ${name}`),
    element('p', {}, `You are ${role} here, with ${me.body.permissions?.length ?? 0} permissions.`),
    ...part('Keys', keys, ({ items }) => keyTable(items, id, again)),
    ...(may('key:write') ? [keyForm(id, again)] : []),
    ...part('Members', members, ({ items }) =>
      table(
        ['Name', 'E-mail', 'Role', 'Teams'],
        items.map((one) => [one.name, one.email ?? '', one.role, one.teams.join(', ')]),
        'members',
      ),
    ),
    ...part('Open invitations', invitations, ({ items }) => invitationTable(items, id, may('member:write'), again)),
    ...(may('member:write') && invitations.ok
      ? [
          invitationForm(
            (roles.body.items ?? []).map((one) => one.role),
            id,
            again,
          ),
        ]
      : []),
    ...part('Roles of this workspace', roles, ({ items }) =>
      table(
        ['Name', 'Permissions'],
        items.map((one) => [one.role, one.permissions.join(', ')]),
        'roles',
      ),
    ),
    ...part('Recent runs', runs, ({ items }) =>
      table(
        ['When', 'Pattern', 'Model', 'State'],
        items.map((one) => [when(one.accepted_at), `${one.pattern} ${one.version}`, one.model, one.status]),
        'runs',
      ),
    ),
  );
}

/** What the role does not show has no heading either. */
function part(title, answer, draw) {
  if (answer.status === 403) return [];
  return [element('h2', {}, title), answer.ok ? draw(answer.body) : say(answer.body.detail)];
}

function keyTable(items, workspace, again) {
  return table(
    ['Name', 'Begins with', 'Role', 'Made', 'Ends', ''],
    items.map((key) => [
      key.name,
      code(key.prefix),
      key.role,
      when(key.created_at),
      when(key.revoked_at ?? key.expires_at),
      key.revoked_at
        ? 'revoked'
        : button('Revoke', async () => {
            await call('DELETE', `/v1/keys/${key.id}`, undefined, workspace);
            await again();
          }),
    ]),
    'keys',
  );
}

function keyForm(workspace, again) {
  const name = field('Name of the new key', 'key-name');
  const role = element('select', { id: 'key-role', 'aria-label': 'Role of the new key' });
  for (const one of ['viewer', 'runner', 'author', 'operator', 'admin', 'owner'])
    role.append(element('option', {}, one));
  const note = say('');
  const make = button('Make a key', async () => {
    const answer = await call('POST', '/v1/keys', { name: name.value, role: role.value }, workspace);
    if (!answer.ok) {
      note.textContent = answer.body.detail;
      return;
    }
    await again();
    const shown = element('p', { id: 'new-key' }, 'Copy it now; it is shown this once: ', code(answer.body.key));
    document.querySelector('#keys').after(shown);
  });
  make.id = 'make-key';
  return element('p', {}, name, ' ', role, ' ', make, note);
}

const code = (text) => element('code', {}, text);

window.addEventListener('hashchange', () => void show());
await show();
