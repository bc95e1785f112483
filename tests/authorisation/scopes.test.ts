import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Permission, permissions } from '@damask/contracts/permissions.ts';
import { startTestPlatform, type TestPlatform } from '../../server/src/testing/test-platform.ts';
import { createHttpClient, type HttpClient } from '../http-client.ts';
import { sampleInput, titleOf, toRequest } from '../sample-input.ts';
import { compareKeys, readTable } from './read-table.ts';

let platform: TestPlatform;
let client: HttpClient;
const keys = new Map<Permission, string>();
before(async () => {
  platform = await startTestPlatform();
  client = createHttpClient(platform.url);
  for (const permission of permissions) {
    // Half of them by a role of the workspace, the others by a key's scopes.
    const role = keys.size % 2 === 0 ? `custom:${permission.replace(':', '_')}` : 'admin';
    if (role !== 'admin') {
      const made = await platform.call('PUT', `/v1/roles/${role.slice(7)}`, { permissions: [permission] });
      assert.equal(made.status, 200, made.text);
    }
    const body = { name: permission, role, ...(role === 'admin' ? { scopes: [permission] } : {}) };
    let made = await platform.call('POST', '/v1/keys', body);
    if (made.status === 400) {
      // What only owners hold, no role of the platform below them passes on.
      const name = `owners_${permission.replace(':', '_')}`;
      await platform.call('PUT', `/v1/roles/${name}`, { permissions: [permission] });
      made = await platform.call('POST', '/v1/keys', { name: permission, role: `custom:${name}` });
    }
    assert.equal(made.status, 201, made.text);
    keys.set(permission, made.body.key);
  }
});
after(async () => {
  client.close();
  await platform.stop();
});

const guarded = () =>
  platform.gateway.routes.all
    .map(({ operation }) => operation)
    .filter(({ permission }) => permission !== 'public' && permission !== 'account');

test('the table of scopes has exactly the operations that keys may be let into', () => {
  const listed = readTable('scopes.csv').map((row) => `${row.method} ${row.path}`);
  assert.deepEqual(compareKeys('scopes.csv', listed, guarded().map(titleOf)), []);
});

test('each scope alone opens the operations of the table, and no other', async (t) => {
  const needs = new Map(readTable('scopes.csv').map((row) => [`${row.method} ${row.path}`, row.scope]));
  const wrong: string[] = [];
  const waiting = guarded().flatMap((operation) => [...keys].map(([scope, key]) => ({ operation, scope, key })));
  const { length } = waiting;
  const worker = async () => {
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      const { operation, scope, key } = one;
      const title = titleOf(operation);
      const need = needs.get(title);
      const { path, body } = toRequest(operation, sampleInput(operation));
      const { status, body: answer } = await client.send(operation.method, path, { key, body });
      // Beyond the door an operation may still ask for more; the scope of the table it does not miss.
      const refused = status === 403 && (answer?.need === need || path.startsWith('/scim/'));
      if (refused === (scope === need))
        wrong.push(`${title} with ${scope}: ${status} ${answer?.need ?? answer?.code ?? ''}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  assert.deepEqual(wrong, []);
  t.diagnostic(`${length} cases`);
});
