import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serviceOperations } from '@damask/contracts/services.ts';
import pg from 'pg';
import { type ModelServer, startModelServer } from '../../server/src/platform/testing/model-server.ts';
import { reachRules } from '../../server/src/services/pattern/reach/reach-rules.ts';
import { type Reply, startTestPlatform, type TestPlatform } from '../../server/src/testing/test-platform.ts';
import { sampleInput, toRequest } from '../sample-input.ts';
import { seedMember } from './seed-by-hand.ts';

let model: ModelServer;
let platform: TestPlatform;
const chain = {
  files: [
    { path: 'pattern.yaml', content: 'steps: {a: {pattern: mail}, b: {pattern: secret, input: $steps.a.output}}' },
  ],
};
before(async () => {
  model = await startModelServer((_, answer) => answer.say('Done.'));
  platform = await startTestPlatform({ modelUrl: model.url });
  for (const name of ['mail', 'secret']) {
    const files = [
      { path: 'system.md', content: `About ${name}.` },
      { path: 'pattern.yaml', content: 'model: openai/x' },
    ];
    await must(ask('POST', '/v1/patterns', { name, files }));
  }
});
after(async () => {
  await platform.stop();
  await model.close();
});

const ask = (method: string, path: string, body?: unknown, key?: string) =>
  platform.call(method, path, body, key === undefined ? {} : { key });
async function must(reply: Promise<Reply>) {
  const { status, body, text } = await reply;
  assert.ok(status < 300, `${status} ${text}`);
  return body;
}
async function refused(reply: Promise<Reply>, status: number, need?: string) {
  const { body, ...seen } = await reply;
  assert.deepEqual([seen.status, body.need], [status, need], seen.text);
}
const keyOf = async (more: object, role = 'admin') =>
  (await must(ask('POST', '/v1/keys', { name: 'narrow', role, ...more }))).key as string;
const run = (pattern: string, more: object = {}) => ({ pattern, input: 'x', model: 'openai/x', ...more });

test('a key of some patterns reaches these, and others are as if they were not there', async () => {
  const key = await keyOf({ patterns: ['mail', 'later'] });
  await must(ask('POST', '/v1/runs', run('mail'), key));
  const { id } = await must(ask('POST', '/v1/runs', run('secret')));
  for (const [method, path, body] of [
    ['POST', '/v1/runs', run('secret')],
    ['POST', '/v1/render', run('secret')],
    ['POST', '/v1/batches', { pattern: 'secret', items: [{ input: 'x' }], model: 'openai/x' }],
    ['GET', '/v1/patterns/secret', undefined],
    ['GET', '/v1/patterns/secret/versions/1', undefined],
    ['PUT', '/v1/patterns/secret/labels/live', { version: 1 }],
    ['DELETE', '/v1/patterns/secret', undefined],
    ['POST', '/v1/patterns', { name: 'mine', system: 'x' }],
    ['GET', `/v1/runs/${id}`, undefined],
    ['GET', `/v1/runs/${id}/steps`, undefined],
    ['GET', `/v1/runs/${id}/events`, undefined],
    ['POST', `/v1/runs/${id}/rerun`, {}],
    ['POST', `/v1/runs/${id}/retry`, {}],
    ['POST', `/v1/runs/${id}/cancel`, {}],
  ] as const) {
    const { status, text } = await ask(method, path, body, key);
    assert.equal(status, 404, `${method} ${path}: ${text}`);
  }
  const own = await must(ask('GET', '/v1/runs', undefined, key));
  assert.deepEqual(new Set(own.items.map((item: { pattern: string }) => item.pattern)), new Set(['mail']));
  await refused(ask('POST', `/v1/runs/${own.items[0].id}/rerun`, { pattern: 'secret' }, key), 404);
  const patterns = await must(ask('GET', '/v1/patterns?limit=200', undefined, key));
  assert.deepEqual(
    patterns.items.map((item: { name: string }) => item.name),
    ['mail'],
  );
  await must(ask('POST', '/v1/patterns', { name: 'later', system: 'Later.' }, key));
});

test('a chain or an include does not lead a narrowed key beyond its patterns', async () => {
  await must(ask('POST', '/v1/patterns', { name: 'both', ...chain }));
  const outer = await keyOf({ patterns: ['both', 'mail'] });
  await refused(ask('POST', '/v1/runs', { pattern: 'both', input: 'x' }, outer), 422);
  await refused(ask('POST', '/v1/render', { pattern: 'both', input: 'x' }, outer), 422);
  const batch = { pattern: 'both', items: [{ input: 'x' }] };
  await refused(ask('POST', '/v1/batches', batch, outer), 422);
  await must(
    ask('POST', '/v1/runs', { pattern: 'both', input: 'x' }, await keyOf({ patterns: ['both', 'mail', 'secret'] })),
  );
  const publish = (body: object) => ask('POST', '/v1/patterns/mail/versions', body, outer);
  const including = [
    { path: 'system.md', content: 'See {{> secret}}.' },
    { path: 'pattern.yaml', content: 'template: 2' },
  ];
  await refused(publish({ files: including }), 403, 'reach:all');
  await refused(publish(chain), 403, 'reach:all');
});

test('a key of some environments runs in these, and sees those runs only', async () => {
  const key = await keyOf({ environments: ['development'] });
  const { id } = await must(ask('POST', '/v1/runs', run('mail'), key));
  const byNumber = await must(ask('POST', '/v1/runs', run('mail', { version: 1 })));
  await refused(ask('POST', '/v1/runs', run('mail', { version: 1 }), key), 403, 'environments:all');
  await refused(
    ask('POST', '/v1/runs', run('mail', { environment: 'production' }), key),
    403,
    'environments:production',
  );
  await refused(ask('POST', `/v1/runs/${id}/rerun`, {}, key), 403, 'environments:all');
  await must(ask('POST', `/v1/runs/${id}/rerun`, { environment: 'development', model: 'openai/x' }, key));
  await refused(ask('GET', `/v1/runs/${byNumber.id}`, undefined, key), 404);
  const { items } = await must(ask('GET', '/v1/runs', undefined, key));
  assert.ok(items.length > 0);
  for (const item of items) assert.equal(item.environment, 'development');
  const other = await keyOf({ environments: ['staging'] });
  assert.deepEqual((await must(ask('GET', '/v1/runs', undefined, other))).items, []);
});

test('batches of other patterns are neither listed nor touched', async () => {
  const start_at = new Date(Date.now() + 86_400_000).toISOString();
  const batchOf = (pattern: string) =>
    must(ask('POST', '/v1/batches', { pattern, items: [{ input: 'x' }], model: 'openai/x', start_at }));
  const [mine, other] = [await batchOf('mail'), await batchOf('secret')];
  const key = await keyOf({ patterns: ['mail'], environments: ['development'] });
  const { items } = await must(ask('GET', '/v1/batches', undefined, key));
  assert.deepEqual(
    items.map(({ id }: { id: string }) => id),
    [mine.id],
  );
  await refused(ask('POST', `/v1/batches/${other.id}/cancel`, {}, key), 404);
  await refused(ask('GET', `/v1/batches/${other.id}/errors`, undefined, key), 404);
  await must(ask('POST', `/v1/batches/${mine.id}/cancel`, {}, key));
});

test('what has no such bounds is refused to a narrowed key, each operation', async () => {
  const key = await keyOf({ patterns: ['mail'] });
  const { pattern: operations } = serviceOperations;
  for (const [name, rule] of Object.entries(reachRules)) {
    if (rule !== 'whole') continue;
    const operation = operations[name as keyof typeof operations];
    const { path, body } = toRequest(operation, sampleInput(operation));
    const sent = operation.bodyTypes ? undefined : body;
    const { status, body: answer } = await ask(operation.method, path, sent, key);
    if (operation.bodyTypes) assert.ok(status >= 400, name);
    else assert.deepEqual([status, answer.need], [403, 'reach:all'], `${name}: ${JSON.stringify(answer)}`);
  }
});

test('a narrowed key hands out nothing that is wider than itself', async () => {
  const key = await keyOf({ patterns: ['mail'], scopes: ['key:write', 'member:write', 'role:write', 'run:read'] });
  const child = await must(ask('POST', '/v1/keys', { name: 'child', role: 'viewer', scopes: ['run:read'] }, key));
  assert.deepEqual(child.patterns, ['mail']);
  const wider = { name: 'child', role: 'viewer', scopes: ['run:read'], patterns: ['secret'] };
  await refused(ask('POST', '/v1/keys', wider, key), 403, 'patterns:secret');
  await refused(ask('POST', '/v1/keys', { name: 'child', role: 'viewer' }, key), 403, 'self:read');
  await refused(ask('PUT', '/v1/service-accounts/x', { role: 'viewer' }, key), 403, 'reach:all');
  await refused(ask('PUT', '/v1/roles/x', { permissions: ['run:read'] }, key), 403, 'reach:all');
});

test("a team's pattern is changed by its members and admins only, and run by everybody", async () => {
  await must(ask('PUT', '/v1/teams/writers', {}));
  await must(ask('POST', '/v1/patterns', { name: 'owned', system: 'Owned.' }));
  assert.equal((await must(ask('PUT', '/v1/patterns/owned/team', { team: 'writers' }))).team, 'writers');
  const pool = new pg.Pool({ ...platform.connection, max: 1 });
  try {
    const sql = async (text: string, values?: unknown[]) => (await pool.query(text, values)).rows;
    const account = await seedMember(sql, platform.alpha.id);
    await must(ask('PUT', `/v1/members/${account}`, { role: 'author' }));
    const made = await must(ask('POST', '/v1/keys', { name: 'member', role: 'author' }));
    await sql('update identity.api_key set member = $2 where id = $1', [made.id, account]);
    await sql("update platform.topic set version = version + 1 where name = 'identity.keys'");
    const publish = (text: string) => ask('POST', '/v1/patterns/owned/versions', { system: text }, made.key);
    const changes: [method: string, path: string, body?: unknown][] = [
      ['POST', '/v1/patterns/owned/versions', { system: 'Mine.' }],
      ['PUT', '/v1/patterns/owned/labels/live', { version: 1 }],
      ['PUT', '/v1/patterns/owned/deprecation', {}],
      ['POST', '/v1/imports', { files: [{ path: 'patterns/owned/system.md', content: 'Mine.' }] }],
      ['DELETE', '/v1/patterns/owned'],
    ];
    for (const [method, path, body] of changes) await refused(ask(method, path, body, made.key), 403, 'team:writers');
    await refused(ask('PUT', '/v1/patterns/owned/team', { team: null }, made.key), 403, 'team:write');
    await must(ask('POST', '/v1/runs', run('owned'), made.key));
    await must(ask('PUT', `/v1/teams/writers/members/${account}`));
    assert.equal((await must(publish('Ours.'))).version, 2);
    await must(ask('DELETE', '/v1/teams/writers'));
    await refused(publish('Mine.'), 403, 'team:writers');
    await must(ask('PUT', '/v1/patterns/owned/team', { team: null }));
    assert.equal((await must(publish('Mine again.'))).version, 3);
  } finally {
    await pool.end();
  }
});
