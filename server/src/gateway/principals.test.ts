import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyTableRow } from '@damask/contracts/api-key.ts';
import type { RoleRef } from '@damask/contracts/permissions.ts';
import { systemClock } from '#platform/clock.ts';
import { createKeyTable } from './key-table.ts';
import { createMemberTable } from './member-table.ts';
import { createPrincipals } from './principals.ts';

const workspace = '018f0000-0000-7000-8000-000000000001';
const [ada, robot] = ['018f0000-0000-7000-8000-00000000000a', '018f0000-0000-7000-8000-00000000000b'];

/** What the edge makes of one key, where Ada and the robot have these roles; null: they are gone. */
async function principalOf(key: Partial<KeyTableRow>, roles: { ada?: RoleRef | null; robot?: RoleRef | null } = {}) {
  const page = <Row>(...items: Row[]) => Promise.resolve({ items });
  const row = {
    id: workspace,
    workspace,
    name: 'key',
    role: 'runner' as const,
    hash: 'hash',
    expires_at: null,
    ...key,
  };
  const { ada: adasRole = 'author', robot: robotsRole = 'runner' } = roles;
  const identity = {
    readKeyTable: () => page(row),
    readRoleTable: () => page({ workspace, name: 'looker', permissions: ['run:read' as const] }),
    readMemberTable: () =>
      adasRole === null ? page() : page({ workspace, account: ada, name: 'Ada', role: adasRole, teams: ['mail'] }),
    readServiceAccountTable: () =>
      robotsRole === null ? page() : page({ workspace, id: robot, name: 'robot', role: robotsRole }),
  };
  const keys = createKeyTable({ identity: identity as never, clock: systemClock });
  const members = createMemberTable({ identity: identity as never, clock: systemClock });
  await keys.load();
  await members.load();
  return createPrincipals(keys, members).ofKey('hash')?.principal;
}

test('a key holds what its role holds, narrowed to its scopes', async () => {
  assert.ok((await principalOf({}))?.permissions.has('run:execute'));
  const scoped = await principalOf({
    scopes: ['run:read', 'pattern:read'],
    patterns: ['mail'],
    requests_per_minute: 9,
  });
  assert.deepEqual([...(scoped?.permissions ?? [])].sort(), ['pattern:read', 'run:read']);
  assert.deepEqual(scoped?.reach, { patterns: ['mail'], environments: null, teams: [], requestsPerMinute: 9 });
  const beyond = await principalOf({ role: 'viewer', scopes: ['key:write'] });
  assert.equal(beyond?.permissions.size, 0);
});

test('a role of the workspace holds what the workspace says, and one that is gone nothing', async () => {
  assert.deepEqual([...((await principalOf({ role: 'custom:looker' }))?.permissions ?? [])], ['run:read']);
  for (const role of ['custom:gone', 'custom:constructor', 'custom:owner'] as const) {
    assert.equal((await principalOf({ role }))?.permissions.size, 0, role);
  }
});

test('the key of a member holds no more than the member does now, has the same teams, and ends with them', async () => {
  const key = { role: 'admin' as const, member: ada };
  const now = await principalOf(key);
  assert.ok(now);
  assert.ok(now.permissions.has('pattern:write') && !now.permissions.has('key:write'));
  assert.deepEqual([now.actor.account, now.reach.teams], [ada, ['mail']]);
  assert.ok(!(await principalOf(key, { ada: 'viewer' }))?.permissions.has('run:execute'));
  assert.equal(await principalOf(key, { ada: null }), undefined);
});

test('the owner key of one who is no owner any more is no owner key', async () => {
  const key = { role: 'owner' as const, member: ada };
  assert.equal((await principalOf(key, { ada: 'owner' }))?.actor.role, 'owner');
  assert.equal((await principalOf(key, { ada: 'admin' }))?.actor.role, 'admin');
});

test('so it is with service accounts', async () => {
  const key = { role: 'runner' as const, service_account: robot };
  assert.equal((await principalOf(key))?.actor.serviceAccount, robot);
  assert.ok(!(await principalOf(key, { robot: 'viewer' }))?.permissions.has('run:execute'));
  assert.equal(await principalOf(key, { robot: null }), undefined);
});
