import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { permissions, rolePermissions } from '@damask/contracts/permissions.ts';
import { hashApiKey, keyPrefix, looksLikeApiKey } from '#platform/api-key.ts';
import { identityForTests } from './identity-for-tests.ts';
import { mintKey } from './mint-key.ts';

const { identity, database, alpha, beta, system, as, leftBy, pass, sql, stop } = await identityForTests();
after(stop);

const stored = (key: string) => ({ key_hash: hashApiKey(key), key_prefix: keyPrefix(key) });

test('a key learns who it is and what it may do', async () => {
  const workspace = await identity.readWorkspace(alpha, {});
  assert.equal(workspace.name, 'alpha');
  assert.equal(workspace.id, alpha.workspace);
  const { id, name } = alpha.actor;
  assert.deepEqual(await identity.readMe(alpha, {}), {
    workspace,
    actor: { kind: 'key', id, name, role: 'owner', account: null },
    permissions: [...permissions],
    patterns: null,
    environments: null,
    teams: [],
  });
  assert.deepEqual((await identity.readMe(as(alpha, 'runner'), {})).permissions, [...rolePermissions.runner]);
  await assert.rejects(identity.readMe(system, {}), { code: 'not_found' });
  await assert.rejects(identity.readWorkspace(system, {}), { code: 'not_found' });
});

test('a key is read in its own workspace only', async () => {
  const mine = await identity.readKey(alpha, { key: alpha.actor.id });
  assert.deepEqual([mine.name, mine.role, mine.created_by], ['owner', 'owner', null]);
  await assert.rejects(identity.readKey(beta, { key: alpha.actor.id }), { code: 'not_found' });
});

test('a new workspace has an owner key and leaves a trail in itself', async () => {
  const caller = { ...system, requestId: 'request-of-gamma' };
  const { workspace, owner_key } = await identity.createWorkspace(caller, { name: 'gamma' });
  assert.ok(looksLikeApiKey(owner_key.key));
  const { audit, events } = await leftBy({ ...caller, workspace: workspace.id });
  assert.deepEqual(
    audit.map((row) => [row.action, row.subject, row.actor_id]),
    [
      ['createWorkspace', `workspace/${workspace.id}`, 'platform'],
      ['createWorkspace', `key/${owner_key.id}`, 'platform'],
    ],
  );
  assert.deepEqual(
    events.map((row) => [row.name, row.data]),
    [
      ['identity.workspace-created', { workspace: workspace.id, name: 'gamma' }],
      ['identity.key-created', { key: owner_key.id, role: 'owner' }],
    ],
  );
  for (const name of ['', ' ', 'x'.repeat(101), 'a\u0000b', 'a\u001bb']) {
    await assert.rejects(identity.createWorkspace(caller, { name }), { code: 'invalid_request' });
  }
});

test('the key table holds the live keys of all workspaces, in pages', async () => {
  const { id, key } = await identity.createKey(beta, {
    name: 'for an hour',
    role: 'runner',
    expires_at: new Date(Date.now() + 3_600_000).toISOString(),
  });
  const rows = [];
  let after: string | undefined;
  do {
    const page = await identity.readKeyTable(system, { limit: 1, ...(after ? { after } : {}) });
    assert.ok(page.items.length <= 1);
    rows.push(...page.items);
    after = page.next;
  } while (after);
  assert.deepEqual(rows, (await identity.readKeyTable(system, {})).items);
  assert.deepEqual(new Set(rows.map((row) => row.workspace)).size, 3);
  assert.equal(rows.find((row) => row.id === id)?.hash, hashApiKey(key));
  pass(3_600_000);
  assert.ok(!(await identity.readKeyTable(system, {})).items.some((row) => row.id === id));
});

test('the first workspace is made once, however many ask, and its own key is told from others', async () => {
  const before = await identity.readInstance(system, {});
  assert.equal(before.workspace, null);
  const keys = Array.from({ length: 6 }, () => mintKey().secret);
  const opened = await Promise.all(
    keys.map((key) => identity.openInstance(system, { name: 'default', ...stored(key) })),
  );
  assert.equal(opened.filter((answer) => answer.accepted).length, 1);
  const winner = keys[opened.findIndex((answer) => answer.accepted)] as string;
  const { id, workspace } = await identity.readInstance(system, {});
  assert.equal(id, before.id);
  for (const answer of opened) assert.equal(answer.workspace, workspace);
  assert.deepEqual(await identity.openInstance(system, { name: 'default', ...stored(winner) }), {
    workspace,
    accepted: true,
  });
  const named = await sql('select from identity.workspace where name = $1', ['default']);
  assert.equal(named.length, 1);
  const { audit } = await leftBy({ ...system, workspace: workspace as string });
  assert.deepEqual(
    audit.map((row) => row.action),
    ['openInstance', 'openInstance'],
  );
});

test('an owner key can be added by the operator and leaves a trail', async () => {
  const { workspace } = await identity.readInstance(system, {});
  const caller = { ...system, requestId: 'request-of-the-operator' };
  const { secret } = mintKey();
  const issued = await identity.reissueOwnerKey(caller, stored(secret));
  assert.equal(issued.workspace, workspace);
  assert.deepEqual([issued.key.role, issued.key.prefix], ['owner', keyPrefix(secret)]);
  const { audit, events } = await leftBy({ ...caller, workspace: issued.workspace });
  assert.deepEqual([audit[0]?.action, events[0]?.name], ['reissueOwnerKey', 'identity.key-created']);
  const other = await identity.reissueOwnerKey(caller, { workspace: beta.workspace, ...stored(mintKey().secret) });
  assert.equal(other.workspace, beta.workspace);
  await assert.rejects(
    identity.reissueOwnerKey(caller, {
      workspace: '018f0000-0000-7000-8000-00000000dead',
      ...stored(mintKey().secret),
    }),
    { code: 'not_found' },
  );
  await assert.rejects(identity.reissueOwnerKey(caller, { key_hash: 'x', key_prefix: 'dmk_00000000' }), {
    code: 'invalid_request',
  });
});

test('the database itself keeps workspaces apart and columns back', async () => {
  const count = (role: string, workspace: string | null, table: string) =>
    database.transaction({ role, workspace }, async (transaction) => {
      const [row] = await transaction.query<{ count: number }>(`select count(*)::int from identity.${table}`);
      return row?.count;
    });
  for (const table of ['workspace', 'api_key', 'audit', 'outbox']) {
    assert.equal(await count('identity', null, table), 0, table);
    assert.equal(await count('identity', '018f0000-0000-7000-8000-00000000dead', table), 0, table);
    assert.ok(((await count('identity', alpha.workspace, table)) ?? 0) > 0, table);
  }
  const scope = { role: 'identity', workspace: alpha.workspace };
  const refused = (text: string, as = scope) =>
    assert.rejects(
      database.transaction(as, (transaction) => transaction.query(text)),
      (error: { code?: string }) => error.code === '42501',
      text,
    );
  await refused(`insert into identity.workspace values ('${beta.workspace}', 'x', now())`);
  await refused(`update identity.api_key set role = 'owner'`);
  await refused('delete from identity.api_key');
  await refused('delete from identity.audit');
  await refused('update identity.audit set action = action');
  await refused('select * from identity.api_key', { role: 'platform', workspace: alpha.workspace });
  await refused('select id from identity.instance', { role: 'platform', workspace: alpha.workspace });
  const tables = await sql<{ relname: string; forced: boolean }>(
    `select relname, relrowsecurity and relforcerowsecurity as forced from pg_class
      where relnamespace = 'identity'::regnamespace and relkind = 'r'`,
  );
  assert.ok(tables.length >= 11);
  for (const { relname, forced } of tables) assert.ok(forced, relname);
});
