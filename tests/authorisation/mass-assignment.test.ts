import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sampleInput, takesBody, takesNoBody, titleOf, toRequest } from '../sample-input.ts';
import { changedRows } from './planted-faults.ts';
import { checksumOf } from './row-cases.ts';
import { thingsByField } from './targets.ts';
import { startTwoWorkspaces, type TwoWorkspaces } from './two-workspaces.ts';

/** Fields that only the server sets, under the names that people try. */
const serverOwned = [
  ...['workspace', 'workspace_id', 'tenant', 'tenant_id', 'org_id', 'owner', 'owner_id', 'user_id', 'account'],
  ...['id', 'status', 'cost', 'cost_micros', 'budget', 'budget_limit', 'usage', 'is_admin', 'admin', 'scopes', 'scope'],
  ...['permissions', 'permission', 'role', 'roles', 'actor', 'actor_id', 'created_by', 'created_at', 'updated_at'],
  ...['deleted_at', 'revoked_at', 'accepted_at', 'finished_at', 'expires_at', 'version', 'latest', 'digest', 'hash'],
  ...['prefix', 'key', 'key_hash', 'key_prefix', 'secret', 'has_key', 'process', 'xact', 'request_id', 'source'],
  ...['source_kind', 'upstream_digest', 'output', 'error', 'attempts', 'payload', 'sanitised', '$where', '_id'],
  ...['constructor', 'toString', 'hasOwnProperty', 'prototype', 'then'],
];

/** What hides columns or orders by them where it is taken (Backstage, CVE-2024-45816 and its kin). */
const hiddenQueries = ['order_by=key_hash', 'orderBy=hash', 'sort=secret', 'fields=hash', 'select=*', 'filter=hash'];
const moreQueries = ['include=workspace', 'expand=actor', 'where=1', 'q=x', 'offset=0', 'page=2', 'limit[]=1', 'a.b=c'];

let world: TwoWorkspaces;
before(async () => {
  world = await startTwoWorkspaces();
});
after(() => world.stop());

const operations = () =>
  world.gateway.routes.all
    .map(({ operation }) => operation)
    // What belongs to a person takes no key, whatever comes with it.
    .filter(({ permission }) => permission !== 'public' && permission !== 'account');

async function unchanged(
  t: { diagnostic(text: string): void },
  work: () => Promise<{ asked: number; wrong: string[] }>,
) {
  const before = await checksumOf(world, world.alpha.workspace);
  const { asked, wrong } = await work();
  assert.deepEqual(wrong, []);
  assert.deepEqual(changedRows(before, await checksumOf(world, world.alpha.workspace)), []);
  t.diagnostic(`${asked} cases`);
}

test('Z-4: no body takes a field that the server owns', async (t) => {
  await unchanged(t, async () => {
    const wrong: string[] = [];
    let asked = 0;
    for (const operation of operations().filter(takesBody)) {
      const input = sampleInput(operation, thingsByField(world.alpha));
      const { path, body } = toRequest(operation, input);
      for (const field of serverOwned.filter((name) => !Object.hasOwn(operation.input.properties, name))) {
        const reply = await world.send(operation.method, path, {
          key: world.alpha.owner,
          body: { ...body, [field]: 'mine' },
        });
        asked += 1;
        const seen = `${reply.status} ${reply.body.code} ${reply.body.pointer}`;
        if (seen !== `400 invalid_request /${field}`) wrong.push(`${titleOf(operation)} with ${field}: ${seen}`);
      }
    }
    return { asked, wrong };
  });
});

test('Z-4: no nested object takes an unknown field', async (t) => {
  const nested: [method: string, path: string, body: object, pointer: string][] = [
    ['POST', '/v1/runs', { pattern: 'same_text', input: 'x', parameters: { model: 'x' } }, '/parameters/model'],
    [
      'POST',
      '/v1/render',
      { pattern: 'same_text', input: 'x', parameters: { logit_bias: 1 } },
      '/parameters/logit_bias',
    ],
    ['PUT', '/v1/providers/x', { base_url: 'https://example.com', models: [{ id: 'x', cost: 0 }] }, '/models/0/cost'],
    ['POST', '/v1/patterns', { name: 'x', files: [{ path: 'system.md', content: 'x', mode: 1 }] }, '/files/0/mode'],
    ['POST', '/v1/imports', { files: [{ path: 'system.md', content: 'x', hash: '' }] }, '/files/0/hash'],
  ];
  await unchanged(t, async () => {
    const wrong: string[] = [];
    for (const [method, path, body, pointer] of nested) {
      const reply = await world.send(method, path, { key: world.alpha.owner, body });
      if (reply.status !== 400 || reply.body.pointer !== pointer) wrong.push(`${method} ${path}: ${reply.text}`);
    }
    return { asked: nested.length, wrong };
  });
});

test('Z-3: no list can be ordered, filtered or widened by what the contract does not name', async (t) => {
  await unchanged(t, async () => {
    const wrong: string[] = [];
    let asked = 0;
    for (const operation of operations().filter(takesNoBody)) {
      const { path } = toRequest(operation, sampleInput(operation, thingsByField(world.alpha)));
      for (const query of [...hiddenQueries, ...moreQueries, ...serverOwned.map((field) => `${field}=1`)]) {
        const field = decodeURIComponent(query.split('=')[0] as string);
        if (Object.hasOwn(operation.input.properties, field) && !operation.path.includes(`{${field}}`)) continue;
        const reply = await world.send(operation.method, `${path}?${query}`, { key: world.alpha.owner });
        asked += 1;
        const seen = `${reply.status} ${reply.body.code} ${reply.body.pointer}`;
        if (seen !== `400 invalid_request /${field}`) wrong.push(`${titleOf(operation)}?${query}: ${seen}`);
      }
    }
    return { asked, wrong };
  });
});

test('a name in the address cannot be given again in the body', async (t) => {
  await unchanged(t, async () => {
    const wrong: string[] = [];
    const named = operations().filter((one) => takesBody(one) && one.path.includes('{'));
    for (const operation of named) {
      const { path, body } = toRequest(operation, sampleInput(operation, thingsByField(world.alpha)));
      const [, field = ''] = /\{(\w+)\}/.exec(operation.path) ?? [];
      const reply = await world.send(operation.method, path, {
        key: world.alpha.owner,
        body: { ...body, [field]: thingsByField(world.beta)[field] },
      });
      if (reply.status !== 400 || reply.body.pointer !== `/${field}`)
        wrong.push(`${titleOf(operation)}: ${reply.text}`);
    }
    return { asked: named.length, wrong };
  });
});
