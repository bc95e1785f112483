import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { permissions, rolePermissions, roles } from '@damask/contracts/permissions.ts';
import { identityForTests } from '../identity-for-tests.ts';

const { identity, alpha, as, join, leftBy, system, stop } = await identityForTests();
after(stop);

test('the roles of the platform come first, then those of the workspace by name', async () => {
  await identity.putRole(alpha, { custom_role: 'zeta', permissions: ['run:read'] });
  await identity.putRole(alpha, { custom_role: 'beta', permissions: ['run:read', 'self:read'], description: 'Looks' });
  const seen = [];
  let cursor: string | undefined;
  do {
    const page = await identity.listRoles(alpha, { limit: 3, ...(cursor ? { cursor } : {}) });
    seen.push(...page.items);
    cursor = page.next;
  } while (cursor);
  assert.deepEqual(
    seen.map(({ role }) => role),
    [...roles, 'custom:beta', 'custom:zeta'],
  );
  assert.deepEqual(seen[0]?.permissions, [...rolePermissions.viewer]);
  assert.deepEqual(seen[6]?.permissions, ['self:read', 'run:read']);
});

test('a role leaves an audit row and an event, and the same role again nothing', async () => {
  const caller = as(alpha, 'admin');
  await identity.putRole(caller, { custom_role: 'looker', permissions: ['run:read', 'run:read'] });
  const { audit, events } = await leftBy(caller);
  assert.deepEqual(
    audit.map(({ action, subject, details }) => [action, subject, details]),
    [['putRole', 'role/looker', { permissions: ['run:read'], before: null }]],
  );
  assert.deepEqual(
    events.map(({ name, data }) => [name, data]),
    [['identity.role-put', { role: 'looker' }]],
  );
  const again = as(alpha, 'admin');
  await identity.putRole(again, { custom_role: 'looker', permissions: ['run:read'] });
  assert.deepEqual(await leftBy(again), { audit: [], events: [] });
  const { items } = await identity.readRoleTable(system, {});
  assert.deepEqual(items.find(({ name }) => name === 'looker')?.permissions, ['run:read']);
});

test('Z-5: nobody makes a role that holds more than they do', async () => {
  for (const role of roles) {
    const caller = as(alpha, role);
    for (const permission of permissions) {
      const made = identity.putRole(caller, { custom_role: `of_${role}`, permissions: [permission] });
      if (caller.permissions.has(permission)) await made;
      else await assert.rejects(made, { code: 'forbidden' });
    }
  }
  const narrow = { ...alpha, reach: { ...alpha.reach, environments: ['staging'] } };
  await assert.rejects(identity.putRole(narrow, { custom_role: 'wide', permissions: ['run:read'] }), {
    code: 'forbidden',
  });
});

test('a role that somebody has cannot be deleted', async () => {
  await identity.putRole(alpha, { custom_role: 'used', permissions: ['run:read'] });
  const ada = await join(alpha, 'custom:used');
  const refused = { code: 'policy_refused' };
  await assert.rejects(identity.deleteRole(alpha, { custom_role: 'used' }), refused);
  await identity.changeMember(alpha, { member: ada.actor.id, role: 'viewer' });
  const key = await identity.createKey(alpha, { name: 'x', role: 'custom:used' });
  await assert.rejects(identity.deleteRole(alpha, { custom_role: 'used' }), refused);
  await identity.revokeKey(alpha, { key: key.id });
  const caller = as(alpha, 'admin');
  assert.equal((await identity.deleteRole(caller, { custom_role: 'used' })).role, 'custom:used');
  assert.deepEqual(
    (await leftBy(caller)).events.map(({ name }) => name),
    ['identity.role-deleted'],
  );
  await assert.rejects(identity.deleteRole(alpha, { custom_role: 'used' }), { code: 'not_found' });
  await assert.rejects(identity.createKey(alpha, { name: 'x', role: 'custom:used' }), { code: 'not_found' });
});

test('bad roles are refused with a pointer', async () => {
  const bad: [object, string][] = [
    [{ custom_role: 'Owner', permissions: ['run:read'] }, '/custom_role'],
    [{ custom_role: 'x', permissions: [] }, '/permissions'],
    [{ custom_role: 'x', permissions: ['run:*'] }, '/permissions/0'],
    [{ custom_role: 'x', permissions: ['run:read'], description: 'x'.repeat(501) }, '/description'],
  ];
  for (const [input, pointer] of bad) {
    await assert.rejects(
      identity.putRole(alpha, input as never),
      (error: { code: string; details: { pointer: string } }) =>
        error.code === 'invalid_request' && error.details.pointer === pointer,
      JSON.stringify(input),
    );
  }
});
