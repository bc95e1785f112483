import assert from 'node:assert/strict';
import { test } from 'node:test';

import { permissions, rolePermissions, roles } from '@damask/contracts/permissions.ts';
import { serviceOperations } from '@damask/contracts/services.ts';
import { buildRoutes } from '../../server/src/gateway/routes.ts';
import { openDoor } from '../../server/src/platform/rpc/door.ts';

const planted = (change: object) => ({
  pattern: { ...serviceOperations.pattern, listPatterns: { ...serviceOperations.pattern.listPatterns, ...change } },
});

for (const permission of [undefined, null, '', 'everything', 'PUBLIC', 'pattern:reads', 'constructor', ['self:read']]) {
  test(`an operation with the permission ${JSON.stringify(permission)} keeps the server from starting`, () => {
    assert.throws(
      () => buildRoutes(planted({ permission }) as never),
      /pattern\.listPatterns .*names no known permission/,
    );
  });
}

test('two operations at one address keep the server from starting', () => {
  assert.throws(() => buildRoutes(planted({ path: '/v1/strategies' }) as never), /defined twice/);
  assert.throws(() => buildRoutes(planted({ path: '/v1/patterns/{name}' }) as never), /in two ways/);
});

test('an operation without a function keeps the server from starting', () => {
  assert.throws(
    () => openDoor(serviceOperations.pattern, {} as never, { copy: false, checkOutput: false }),
    /has no function/,
  );
});

test('operations between services are not routed', () => {
  const routed = buildRoutes(serviceOperations).all.map(({ operation }) => operation);
  assert.equal(
    routed.some(({ permission, path }) => permission === 'internal' || path.startsWith('/internal')),
    false,
  );
});

test('public are only addresses that say nothing about anybody, and those where people sign in', () => {
  const open = buildRoutes(serviceOperations).all.filter(({ operation }) => operation.permission === 'public');
  assert.deepEqual([...new Set(open.map(({ operation }) => operation.path))].sort(), [
    '/',
    '/account',
    '/account/command-line',
    '/account/scripts/{script}',
    '/docs',
    '/livez',
    '/login/oidc/{login}',
    '/login/oidc/{login}/callback',
    '/openapi.json',
    '/readyz',
    '/schemas/pattern.json',
    '/v1/login/command-line',
    '/v1/login/command-line/{login}',
    '/v1/login/invitation',
    '/v1/login/invitation/options',
    '/v1/login/invitation/provider',
    '/v1/login/link',
    '/v1/login/passkey',
    '/v1/login/passkey/options',
  ]);
});

test('each permission is asked for by an operation and held by the owner, and higher roles hold what lower ones do', () => {
  const asked = new Set(buildRoutes(serviceOperations).all.map(({ operation }) => operation.permission as string));
  assert.deepEqual(
    permissions.filter((permission) => !asked.has(permission)),
    [],
  );
  assert.deepEqual([...rolePermissions.owner], [...permissions]);
  // Whoever says how people sign in says who they are. Nobody but owners begins to seal everything anew.
  const signIn = ['identity-provider:read', 'identity-provider:write', 'scim:write', 'login-link:write'];
  const ofOwners = [...signIn, 'encryption:read', 'encryption:write'];
  for (const role of roles) {
    const beyond = rolePermissions[role].filter((permission) => !rolePermissions.admin.includes(permission));
    assert.deepEqual(beyond.sort(), role === 'owner' ? ofOwners.sort() : [], role);
  }
});
