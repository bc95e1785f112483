import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { CallContext } from '#platform/call.ts';
import { identityForTests } from '../identity-for-tests.ts';

const { identity, alpha, beta, as, join, leftBy, sql, system, stop } = await identityForTests();
after(stop);

const unknown = '018f0000-0000-7000-8000-00000000dead';
const idOf = (context: CallContext) => context.actor.id;
const rowOf = async (context: CallContext) =>
  (await identity.readMemberTable(system, {})).items.find(({ account }) => account === idOf(context));

test('members are listed with role and teams, those of other workspaces are not', async () => {
  const ada = await join(alpha, 'author', 'Ada');
  await join(beta, 'owner', 'Bob');
  await identity.putTeam(alpha, { team: 'prompts' });
  await identity.addTeamMember(alpha, { team: 'prompts', member: idOf(ada) });
  const { items } = await identity.listMembers(alpha, {});
  const [{ created_at, ...first }] = items as [(typeof items)[number]];
  assert.ok(Date.parse(created_at) > 0);
  assert.deepEqual(first, {
    id: idOf(ada),
    name: 'Ada',
    email: 'ada@example.com',
    role: 'author',
    teams: ['prompts'],
    source: 'local',
    disabled: false,
  });
  assert.ok(items.every(({ name }) => name !== 'Bob'));
  assert.deepEqual((await rowOf(ada))?.teams, ['prompts']);
});

test('pages hold each member once', async () => {
  for (let i = 0; i < 4; i++) await join(alpha, 'viewer', `P${i}`);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await identity.listMembers(alpha, { limit: 2, ...(cursor ? { cursor } : {}) });
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.next;
  } while (cursor);
  const [row] = await sql<{ count: number }>(
    'select count(*)::int as count from identity.member where workspace = $1 and removed_at is null',
    [alpha.workspace],
  );
  assert.deepEqual([seen.length, new Set(seen).size], [row?.count, row?.count]);
});

test('a changed role holds at once, and leaves an audit row and an event', async () => {
  const ada = await join(alpha, 'viewer');
  const caller = as(alpha, 'admin');
  assert.equal((await identity.changeMember(caller, { member: idOf(ada), role: 'author' })).role, 'author');
  assert.equal((await rowOf(ada))?.role, 'author');
  const { audit, events } = await leftBy(caller);
  assert.deepEqual(
    audit.map(({ action, details }) => [action, details]),
    [['changeMember', { role: 'author', before: 'viewer' }]],
  );
  assert.deepEqual(
    events.map(({ name, data }) => [name, data]),
    [['identity.member-changed', { account: idOf(ada), role: 'author' }]],
  );
  const again = as(alpha, 'admin');
  await identity.changeMember(again, { member: idOf(ada), role: 'author' });
  assert.deepEqual(await leftBy(again), { audit: [], events: [] });
});

test('Z-5: nobody gives themselves another role, with a key of their own neither', async () => {
  const ada = await join(alpha, 'admin');
  const key = { ...ada, actor: { ...ada.actor, kind: 'key' as const, id: unknown } };
  for (const caller of [ada, key]) {
    for (const role of ['owner', 'admin', 'viewer'] as const) {
      await assert.rejects(identity.changeMember(caller, { member: idOf(ada), role }), { code: 'forbidden' });
    }
  }
  assert.deepEqual(await leftBy(ada), { audit: [], events: [] });
});

test('Z-5: nobody hands out a role above their own, or acts on somebody above them', async () => {
  const [boss, peer] = [await join(alpha, 'owner', 'Boss'), await join(alpha, 'viewer', 'Peer')];
  const admin = as(alpha, 'admin');
  const forbidden = { code: 'forbidden' };
  await assert.rejects(identity.changeMember(admin, { member: idOf(peer), role: 'owner' }), forbidden);
  await assert.rejects(identity.changeMember(admin, { member: idOf(boss), role: 'viewer' }), forbidden);
  await assert.rejects(identity.removeMember(admin, { member: idOf(boss) }), forbidden);
  const narrow = { ...alpha, reach: { ...alpha.reach, patterns: ['one'] } };
  await assert.rejects(identity.changeMember(narrow, { member: idOf(peer), role: 'author' }), forbidden);
  const few = { ...admin, permissions: new Set(['member:write', 'run:read'] as const) };
  await assert.rejects(identity.changeMember(few, { member: idOf(peer), role: 'runner' }), forbidden);
  assert.equal((await rowOf(boss))?.role, 'owner');
});

test('the last owner stays, whether it is a key or a member', async () => {
  const gamma = await identity.createWorkspace(system, { name: 'gamma' });
  const key = { ...alpha, workspace: gamma.workspace.id, actor: { ...alpha.actor, id: gamma.owner_key.id } };
  const boss = await join(key, 'owner', 'Boss');
  await identity.revokeKey(boss, { key: gamma.owner_key.id });
  const refused = { code: 'policy_refused' };
  await assert.rejects(identity.removeMember(boss, { member: idOf(boss) }), refused);
  await assert.rejects(identity.changeMember(key, { member: idOf(boss), role: 'admin' }), refused);
  const second = await join(key, 'owner', 'Second');
  const ends = await Promise.allSettled([
    identity.removeMember(boss, { member: idOf(second) }),
    identity.removeMember(second, { member: idOf(boss) }),
  ]);
  assert.deepEqual(ends.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
});

test('a member who is removed loses teams and keys for good, also when they come back', async () => {
  const ada = await join(alpha, 'author');
  await identity.addTeamMember(alpha, { team: 'prompts', member: idOf(ada) });
  const mine = await identity.createKey(
    { ...ada, permissions: as(alpha, 'admin').permissions },
    {
      name: 'mine',
      role: 'author',
    },
  );
  assert.equal(mine.member, idOf(ada));
  const caller = as(alpha, 'admin');
  await identity.removeMember(caller, { member: idOf(ada) });
  assert.equal(await rowOf(ada), undefined);
  assert.ok((await identity.readKey(alpha, { key: mine.id })).revoked_at);
  await assert.rejects(identity.readMember(alpha, { member: idOf(ada) }), { code: 'not_found' });
  await assert.rejects(identity.removeMember(alpha, { member: idOf(ada) }), { code: 'not_found' });
  await assert.rejects(identity.createKey(ada, { name: 'late', role: 'viewer' }), { code: 'not_found' });
  assert.deepEqual(
    (await leftBy(caller)).events.map(({ name }) => name),
    ['identity.member-removed', 'identity.actors-stopped'],
  );
  await sql('update identity.member set removed_at = null where account = $1', [idOf(ada)]);
  assert.deepEqual((await rowOf(ada))?.teams, []);
  assert.ok(!(await identity.readKeyTable(system, {})).items.some(({ id }) => id === mine.id));
});

test('a disabled account is a member without a row at the edge', async () => {
  const ada = await join(alpha, 'author');
  await sql('update identity.account set disabled_at = now() where id = $1', [idOf(ada)]);
  assert.equal((await identity.readMember(alpha, { member: idOf(ada) })).disabled, true);
  assert.equal(await rowOf(ada), undefined);
});

test('members, roles and teams of another workspace are unknown here', async () => {
  const bob = await join(beta, 'viewer', 'Bob');
  await identity.putRole(beta, { custom_role: 'theirs', permissions: ['run:read'] });
  await identity.putTeam(beta, { team: 'theirs' });
  const unseen = { code: 'not_found' };
  for (const member of [idOf(bob), unknown]) {
    await assert.rejects(identity.readMember(alpha, { member }), unseen);
    await assert.rejects(identity.changeMember(alpha, { member, role: 'viewer' }), unseen);
    await assert.rejects(identity.removeMember(alpha, { member }), unseen);
    await assert.rejects(identity.addTeamMember(alpha, { team: 'prompts', member }), unseen);
  }
  const ada = await join(alpha, 'viewer');
  await assert.rejects(identity.changeMember(alpha, { member: idOf(ada), role: 'custom:theirs' }), unseen);
  await assert.rejects(identity.createKey(alpha, { name: 'x', role: 'custom:theirs' }), unseen);
  await assert.rejects(identity.listTeamMembers(alpha, { team: 'theirs' }), unseen);
});

test('a team takes members in once, and lets them go with its end', async () => {
  const ada = await join(alpha, 'author');
  const caller = as(alpha, 'admin');
  await identity.putTeam(caller, { team: 'mail', description: 'Mail patterns' });
  assert.equal((await identity.addTeamMember(caller, { team: 'mail', member: idOf(ada) })).members, 1);
  assert.equal((await identity.addTeamMember(caller, { team: 'mail', member: idOf(ada) })).members, 1);
  assert.deepEqual((await identity.listTeamMembers(caller, { team: 'mail' })).items, [{ id: idOf(ada), name: 'Ada' }]);
  assert.equal((await identity.removeTeamMember(caller, { team: 'mail', member: idOf(ada) })).members, 0);
  await assert.rejects(identity.removeTeamMember(caller, { team: 'mail', member: idOf(ada) }), { code: 'not_found' });
  await identity.addTeamMember(caller, { team: 'mail', member: idOf(ada) });
  assert.equal((await identity.deleteTeam(caller, { team: 'mail' })).members, 1);
  assert.deepEqual((await rowOf(ada))?.teams, []);
  assert.ok((await identity.listTeams(alpha, {})).items.every(({ name }) => name !== 'mail'));
  const said = ['team-put', 'team-member-added', 'team-member-removed', 'team-member-added', 'team-deleted'];
  assert.deepEqual(
    (await leftBy(caller)).events.map(({ name }) => name),
    said.map((name) => `identity.${name}`),
  );
});
