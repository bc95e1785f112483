import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { roles } from '@damask/contracts/permissions.ts';
import { serviceOperations } from '@damask/contracts/services.ts';
import { sampleInput, titleOf, toRequest } from '../sample-input.ts';
import { fieldCases, fieldKey, liveFields } from './field-cases.ts';
import { failuresOf, matrixCases } from './matrix-cases.ts';
import { changedRows } from './planted-faults.ts';
import { compareKeys, readTable } from './read-table.ts';
import { checksumOf, rowCases } from './row-cases.ts';
import { thingsByField } from './targets.ts';
import { startTwoWorkspaces, type TwoWorkspaces, waitingInput } from './two-workspaces.ts';

let world: TwoWorkspaces;
let untouched: Record<string, string>;
before(async () => {
  world = await startTwoWorkspaces();
  untouched = await checksumOf(world, world.beta.workspace);
});
after(() => world.stop());

const operations = () => world.gateway.routes.all.map(({ operation }) => operation);

test('the table of expected answers has exactly the operations that can be reached', () => {
  const listed = readTable('authorisation.csv').map((row) => `${row.method} ${row.path}`);
  assert.deepEqual(compareKeys('authorisation.csv', listed, operations().map(titleOf)), []);
});

test('the table of fields has exactly the fields that can be sent', () => {
  assert.deepEqual(compareKeys('fields.csv', readTable('fields.csv').map(fieldKey), liveFields(world)), []);
});

test('Z-2: lists show all that is there of the own workspace, and nothing else', async () => {
  const { alpha } = world;
  const tables: Record<string, string> = {
    '/v1/keys': 'identity.api_key where true',
    '/v1/members': 'identity.member where removed_at is null',
    '/v1/service-accounts': 'identity.service_account where true',
    '/v1/teams': 'identity.team where true',
    '/v1/patterns': 'pattern.pattern where deleted_at is null',
    '/v1/patterns?deleted=true': 'pattern.pattern where deleted_at is not null',
    '/v1/strategies': 'pattern.strategy where deleted_at is null',
    '/v1/contexts': 'pattern.context where true',
    '/v1/sessions': 'pattern.session where updated_at is not null',
    '/v1/runs': 'pattern.finished where true',
  };
  for (const [list, rows] of Object.entries(tables)) {
    const [there] = await world.sql<{ count: number }>(
      `select count(*)::int as count from ${rows} and workspace = $1`,
      [alpha.workspace],
    );
    let seen = 0;
    let cursor = '';
    do {
      const page = await world.send('GET', `${list}${list.includes('?') ? '&' : '?'}limit=7${cursor}`, {
        key: alpha.owner,
      });
      assert.equal(page.status, 200, page.text);
      seen += page.body.items.length;
      cursor = page.body.next === undefined ? '' : `&cursor=${page.body.next}`;
    } while (cursor !== '');
    assert.equal(seen, there?.count, list);
  }
  assert.deepEqual(world.takeLeaks(), []);
});

test('Z-6: each operation gives each credential what the table says', async (t) => {
  const cases = matrixCases(world, readTable('authorisation.csv'));
  assert.deepEqual(await failuresOf(cases, world), []);
  t.diagnostic(`${cases.length} cases`);
});

test("Z-1: whoever names another workspace's thing in any field meets nothing", async (t) => {
  const cases = fieldCases(world, readTable('fields.csv'));
  assert.deepEqual(await failuresOf(cases, world), []);
  t.diagnostic(`${cases.length} cases`);
});

test('the database keeps the rows of workspaces apart by itself', async (t) => {
  const cases = await rowCases(world);
  assert.deepEqual(await failuresOf(cases, world), []);
  t.diagnostic(`${cases.length} cases`);
});

test('A-12: a key in the address is refused everywhere, beside another one too', async () => {
  const failures: string[] = [];
  for (const operation of operations().filter(({ permission }) => permission !== 'public')) {
    const { path, body } = toRequest(operation, sampleInput(operation, thingsByField(world.alpha)));
    const address = `${path}${path.includes('?') ? '&' : '?'}api_key=${world.alpha.owner}`;
    const alone = await world.send(operation.method, address, { body });
    const beside = await world.send(operation.method, address, { body, key: world.alpha.owner });
    const seen = [alone.status, alone.body.code, beside.status, beside.body.code].join(' ');
    if (seen !== '400 key_in_query 400 two_credentials') failures.push(`${titleOf(operation)}: ${seen}`);
  }
  assert.deepEqual(failures, []);
});

test('Z-5: a role makes keys of roles that hold no more than it does itself', async () => {
  for (const role of roles) {
    const asAdmin = await world.send('POST', '/v1/keys', { key: world.alpha.keys.admin, body: { name: role, role } });
    const asOwner = await world.send('POST', '/v1/keys', { key: world.alpha.keys.owner, body: { name: role, role } });
    assert.equal(asOwner.status, 201, role);
    assert.equal(asAdmin.status, role === 'owner' ? 403 : 201, role);
    if (role === 'owner') assert.equal(asAdmin.body.need, 'role:owner');
  }
});

test('Z-10: no header moves a caller into another workspace or another role', async () => {
  const { workspace, owner } = world.beta;
  for (const header of [
    ['Damask-Workspace', workspace],
    ['X-Workspace-Id', workspace],
    ['X-Tenant-Id', workspace],
    ['X-Forwarded-User', 'owner'],
    ['X-Role', 'owner'],
    ['X-Original-URL', '/v1/keys'],
    ['X-Rewrite-URL', '/v1/keys'],
    ['Cookie', `authorization=Bearer ${owner}; workspace=${workspace}`],
    ['Proxy-Authorization', `Bearer ${owner}`],
  ] as const) {
    const me = await world.send('GET', '/v1/me', { key: world.alpha.keys.viewer, headers: [header] });
    assert.equal(me.status, 200, header[0]);
    assert.equal(me.body.workspace.id, world.alpha.workspace, header[0]);
    assert.equal(me.body.actor.role, 'viewer', header[0]);
    const keys = await world.send('GET', '/v1/keys', { key: world.alpha.keys.viewer, headers: [header] });
    assert.equal(keys.status, 403, header[0]);
  }
  assert.deepEqual(world.takeLeaks(), []);
});

test('operations between services cannot be reached from outside', async () => {
  for (const service of Object.values(serviceOperations)) {
    for (const operation of Object.values(service)) {
      if (operation.permission !== 'internal') continue;
      const reply = await world.send(operation.method, operation.path, { key: world.alpha.owner });
      assert.equal(reply.status, 404, titleOf(operation));
      assert.equal(reply.body.code, 'not_found');
    }
  }
});

test('Z-1: after all of that, no row of the other workspace has changed', async () => {
  assert.deepEqual(changedRows(untouched, await checksumOf(world, world.beta.workspace)), []);
});

test("Z-9: what another workspace has just used does not open it to this one's callers", async () => {
  const body = { pattern: 'same_name', version: 2, input: 'x', variables: { topic: 'x' }, model: 'openai/x' };
  const theirs = await world.send('POST', '/v1/runs', { key: world.beta.owner, body });
  assert.equal(theirs.status, 200, theirs.text);
  world.takeLeaks();
  const ours = await world.send('POST', '/v1/runs', { key: world.alpha.owner, body });
  assert.equal(ours.status, 404, ours.text);
  assert.deepEqual(world.takeLeaks(), []);
});

test("another workspace's run goes on when somebody tries to cancel it", async () => {
  const { alpha, beta } = world;
  const body = { pattern: 'same_text', input: waitingInput, variables: { topic: 'x' }, model: 'openai/x' };
  const running = world.send('POST', '/v1/runs', { key: beta.owner, body });
  const find = async () => (await world.send('GET', '/v1/runs?status=running', { key: beta.owner })).body.items[0];
  let live = await find();
  while (!live) live = await find();
  world.takeLeaks();
  for (const [method, path] of [
    ['GET', `/v1/runs/${live.id}`],
    ['POST', `/v1/runs/${live.id}/cancel`],
  ] as const) {
    assert.equal((await world.send(method, path, { key: alpha.owner })).status, 404);
  }
  assert.deepEqual(world.takeLeaks(), []);
  assert.equal((await find()).id, live.id);
  assert.equal((await world.send('POST', `/v1/runs/${live.id}/cancel`, { key: beta.owner })).status, 202);
  assert.equal((await running).body.code, 'run_cancelled');
});
