import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { everywhere } from '#platform/call.ts';
import { identityForTests } from '../identity-for-tests.ts';

const { identity, alpha, beta, system, as, leftBy, pass, sql, stop } = await identityForTests();
after(stop);

const visit = { user_agent: 'a test', address: '192.0.2.1', previous: null };
const signIn = async (context = alpha) => {
  const { link } = await identity.issueLoginLink(context, {});
  return identity.redeemLoginLink({ ...system, requestId: 'sign-in' }, { link, visit });
};
const contextOf = ({ account, session }: Awaited<ReturnType<typeof signIn>>) => ({
  ...system,
  actor: {
    kind: 'member' as const,
    id: account.id,
    name: account.name,
    role: 'viewer' as const,
    account: account.id,
    session: session.id,
  },
  reach: everywhere,
});

test('what an account does leaves an audit row and an event in each of its workspaces', async () => {
  const first = await signIn();
  await sql(
    `insert into identity.member (workspace, account, role, source, created_at) values ($1, $2, 'viewer', 'local', now())`,
    [beta.workspace, first.account.id],
  );
  const { session } = first;
  const context = { ...contextOf(first), requestId: 'both' };
  await identity.endLoginSession(context, { login_session: session.id });
  for (const { workspace } of [alpha, beta]) {
    const { audit, events } = await leftBy({ ...context, workspace });
    assert.deepEqual(
      audit.map(({ action, subject, actor_id }) => [action, subject, actor_id]),
      [['endLoginSession', `login-session/${session.id}`, first.account.id]],
    );
    assert.deepEqual(
      events.map(({ name, data }) => [name, data]),
      [['identity.login-session-ended', { account: first.account.id, login_session: session.id }]],
    );
  }
});

test('a link of one workspace signs nobody in who is a member elsewhere too', async () => {
  const { link, account } = await identity.issueLoginLink(alpha, {});
  const join = `insert into identity.member (workspace, account, role, source, created_at)
    values ($1, $2, 'owner', 'local', now())`;
  await sql(join, [beta.workspace, account.id]);
  await assert.rejects(identity.redeemLoginLink(system, { link, visit }), { code: 'sign_in_refused' });
  // Whoever holds a key of alpha gets an owner of alpha alone.
  const other = await identity.issueLoginLink(alpha, {});
  assert.notEqual(other.account.id, account.id);
  assert.equal((await identity.issueLoginLink(alpha, {})).account.id, other.account.id);
  const own = { ...alpha, actor: { ...alpha.actor, account: account.id } };
  await assert.rejects(identity.issueLoginLink(own, {}), { code: 'policy_refused' });
});

test('an account holds fifty sessions: with one more the oldest ends', async () => {
  const first = await signIn();
  const list = async () => (await identity.listLoginSessions(contextOf(first), {})).items;
  await sql(
    `insert into identity.login_session
       (id, account, hash, kind, way, user_agent, address, created_at, seen_at, expires_at, idle)
     select gen_random_uuid(), $1, 'hash ' || n, 'browser', 'link', '', '', now(), now(), now() + interval '1 day', '1 day'
       from generate_series(1, $2) as n`,
    [first.account.id, 50 - (await list()).length],
  );
  assert.equal((await list()).length, 50);
  const oldest = (await list()).at(-1)?.id;
  const latest = await signIn();
  const now = await list();
  assert.equal(now.length, 50);
  assert.ok(now.some(({ id }) => id === latest.session.id));
  assert.ok(!now.some(({ id }) => id === oldest));
});

test('the table for the edge has live sessions only, in pages, and no secret', async () => {
  const { secret, session } = await signIn();
  const rows = [];
  let after: string | undefined;
  do {
    const page = await identity.readLoginSessionTable(system, { limit: 7, ...(after ? { after } : {}) });
    rows.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  const row = rows.find(({ id }) => id === session.id);
  assert.equal(row?.idle_ms, 12 * 3_600_000);
  assert.ok(!JSON.stringify(rows).includes(secret));
  const at = new Date(Date.now() + 3_600_000).toISOString();
  await identity.noteLoginSessions(system, { seen: [{ id: session.id, at }] });
  await identity.noteLoginSessions(system, { seen: [{ id: session.id, at: new Date(0).toISOString() }] });
  const [stored] = await sql<{ seen_at: Date }>('select seen_at from identity.login_session where id = $1', [
    session.id,
  ]);
  assert.equal(stored?.seen_at.toISOString(), at);
});

test('only a whole owner issues a link, and only people have login sessions', async () => {
  await assert.rejects(identity.issueLoginLink(as(alpha, 'admin'), {}), { code: 'forbidden' });
  const narrow = { ...alpha, permissions: new Set(['login-link:write' as const]) };
  await assert.rejects(identity.issueLoginLink(narrow, {}), { code: 'forbidden' });
  const near = { ...alpha, reach: { ...everywhere, patterns: ['summarize'] } };
  await assert.rejects(identity.issueLoginLink(near, {}), { code: 'forbidden' });
  for (const context of [alpha, system]) {
    await assert.rejects(identity.listLoginSessions(context, {}), { code: 'forbidden' });
    await assert.rejects(identity.listPasskeys(context, {}), { code: 'forbidden' });
  }
});

test('sessions without use and old ones are gone, and their rows are swept by later sign-ins', async () => {
  const early = await signIn();
  pass(26 * 3_600_000);
  const later = await signIn();
  const ids = async () => (await identity.listLoginSessions(contextOf(later), {})).items.map(({ id }) => id);
  assert.deepEqual(await ids(), [later.session.id]);
  await assert.rejects(identity.readAccount(contextOf(early), { login_session: early.session.id }), {
    code: 'not_found',
  });
  pass(16 * 86_400_000);
  await signIn();
  const old = await sql('select from identity.login_session where id = $1', [early.session.id]);
  assert.equal(old.length, 0);
});

test('two links at once make one local owner', async () => {
  const made = await Promise.all([identity.issueLoginLink(beta, {}), identity.issueLoginLink(beta, {})]);
  assert.equal(new Set(made.map(({ account }) => account.id)).size, 1);
  assert.equal(new Set(made.map(({ link }) => link)).size, 2);
});
