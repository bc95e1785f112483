import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AuditEntry } from '@damask/contracts/audit.ts';
import { noWorkspace } from '../../server/src/platform/system-context.ts';
import { type ModelServer, startModelServer } from '../../server/src/platform/testing/model-server.ts';
import { type AuditWorld, startAuditWorld } from './audit-world.ts';

let model: ModelServer;
let world: AuditWorld;
before(async () => {
  model = await startModelServer((_, answer) => {
    answer.say('short');
  });
  world = await startAuditWorld(model.url);
});
after(async () => {
  await world.stop();
  await model.close();
});

/** What the log says now, newest first. */
async function told(query = ''): Promise<AuditEntry[]> {
  const { platform } = world;
  await platform.gateway.tellAudit();
  await platform.sealAudit();
  const { status, body } = await platform.call('GET', `/v1/audit?limit=200${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body.items;
}

test('an entry tells who did what, from where and why, and what it was before and after', async () => {
  const { platform } = world;
  const why = { headers: { 'damask-reason': Buffer.from('Prüfung §7').toString('latin1') } };
  await platform.call('PUT', '/v1/roles/reader', { permissions: ['run:read'] }, why);
  await platform.call('PUT', '/v1/roles/reader', { permissions: ['run:read', 'pattern:read'] });
  await platform.call('DELETE', '/v1/roles/reader');
  const [deleted, changed, made] = await told('&subject=role/reader');
  assert.ok(made && changed && deleted);
  const me = (await platform.call('GET', '/v1/me')).body;
  assert.deepEqual(made.actor, { kind: 'key', id: me.actor.id, account: null });
  assert.equal(made.auth, 'api_key');
  assert.equal(made.address, '127.0.0.1');
  assert.equal(made.reason, 'Prüfung §7');
  assert.equal(made.outcome, 'done');
  assert.match(made.request_id, /^[0-9a-f-]{36}$/);
  assert.equal(made.before, null);
  assert.match(made.after ?? '', /^sha256:[0-9a-f]{64}$/);
  assert.equal(changed.before, made.after);
  assert.notEqual(changed.after, changed.before);
  assert.equal(deleted.before, changed.after);
  assert.equal(deleted.after, null);
});

test('digests follow keys, providers, labels, budgets and timers', async () => {
  const { platform } = world;
  const put = async (path: string, body: object) => {
    const { status, text } = await platform.call('PUT', path, body);
    assert.ok(status < 300, text);
  };
  const key = (await platform.call('POST', '/v1/keys', { name: 'one', role: 'viewer' })).body.id;
  await platform.call('DELETE', `/v1/keys/${key}`);
  await put('/v1/providers/own', { base_url: 'https://models.example.com/v1' });
  await put('/v1/patterns/summarize/labels/stable', { version: 1 });
  await put('/v1/budgets/all', { covers: 'workspace', period: 'day', limit_tokens: 1_000_000 });
  const run = { pattern: 'summarize', input: 'hello', model: 'openai/x' };
  await put('/v1/timers/yearly', { cron: '@yearly', run });
  await platform.call('DELETE', '/v1/timers/yearly');
  const log = await told();
  const of = (action: string) => log.find((entry) => entry.action === action) as AuditEntry;
  for (const action of ['createKey', 'putProvider', 'setLabel', 'putBudget', 'putTimer']) {
    assert.match(of(action).after ?? '', /^sha256:/, action);
  }
  assert.equal(of('revokeKey').before, of('createKey').after);
  assert.notEqual(of('revokeKey').after, of('revokeKey').before);
  assert.match(of('setLabel').before ?? '', /^sha256:/);
  assert.deepEqual([of('deleteTimer').before, of('deleteTimer').after], [of('putTimer').after, null]);
});

test('what was refused is told in groups, and strangers fill no log of a workspace', async () => {
  const { platform } = world;
  const viewer = await platform.keyFor('viewer');
  for (let i = 0; i < 5; i += 1) await platform.call('DELETE', '/v1/patterns/summarize', undefined, { key: viewer });
  await platform.call('GET', '/v1/keys', undefined, { key: viewer });
  for (let i = 0; i < 7; i += 1) {
    await platform.call('POST', '/v1/keys', { name: 'x', role: 'owner' }, { key: `dmk_${'0'.repeat(46)}` });
  }
  const refused = await told('&outcome=refused');
  assert.deepEqual(
    refused.map(({ action, subject, details }) => [action, subject, details.code, details.count]),
    [['deletePattern', 'pattern/summarize', 'forbidden', 5]],
  );
  const strangers = await world.behind<{ action: string; subject: string; count: number; auth: string }>(
    `select action, subject, (details->>'count')::int as count, auth from identity.audit_entry where workspace = $1`,
    [noWorkspace],
  );
  assert.deepEqual(strangers, [{ action: 'createKey', subject: '/v1/keys', count: 7, auth: 'none' }]);
});

test("reading the texts of somebody else's run, results of a batch and the log itself leaves an entry; reading one's own run does not", async () => {
  const { platform } = world;
  const runner = await platform.keyFor('runner');
  const run = { pattern: 'summarize', input: 'hello', model: 'openai/x' };
  const { status, body, text } = await platform.call('POST', '/v1/runs', run, { key: runner });
  assert.equal(status, 200, text);
  await platform.call('GET', `/v1/runs/${body.id}`, undefined, { key: runner });
  await platform.call('GET', `/v1/runs/${body.id}`);
  await platform.call('GET', `/v1/runs/${body.id}`);
  await platform.call('GET', `/v1/runs/${body.id}/events`);
  const reads = (await told(`&subject=run/${body.id}`)).map(({ action, details }) => [action, details.count]);
  assert.deepEqual(reads.sort(), [
    ['readRun', 2],
    ['streamRun', undefined],
  ]);
  const [owner] = (await told('&action=readRun')) as [AuditEntry];
  assert.equal(owner.actor.id, (await platform.call('GET', '/v1/me')).body.actor.id);
  const lists = await told('&action=listAudit');
  assert.ok(lists.length > 0 && lists.every(({ subject }) => subject === '/v1/audit'));
  // A run itself is its own record.
  assert.deepEqual(await told('&action=createRun'), []);
});

test('the log is asked by actor, action, subject, time and outcome, page by page', async () => {
  const { platform } = world;
  const all = await told();
  const me = (await platform.call('GET', '/v1/me')).body.actor.id;
  const counted = (query: string) => told(query).then((found) => found.length);
  assert.equal(await counted(`&actor=${me}&action=putRole`), 2);
  assert.equal(await counted('&action=putRole&actor=platform'), 0);
  assert.equal(await counted('&subject=role/'), 3);
  assert.equal(await counted('&subject=role/readers'), 0);
  assert.equal(await counted(`&subject=role/&until=${all.at(-1)?.at}`), 0);
  assert.equal(await counted(`&subject=role/&since=${all.at(-1)?.at}`), 3);
  const seen: number[] = [];
  let cursor = '';
  do {
    const { body } = await platform.call('GET', `/v1/audit?limit=7&subject=k${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.items.map(({ seq }: AuditEntry) => seq));
    cursor = body.next ?? '';
  } while (cursor !== '');
  const expected = all.filter(({ subject }) => subject.startsWith('k')).map(({ seq }) => seq);
  assert.deepEqual(seen, expected);
  const { body } = await platform.call('GET', '/v1/audit?limit=1');
  assert.equal((await platform.call('GET', `/v1/audit?cursor=${body.next}&subject=k`)).body.code, 'invalid_cursor');
  assert.equal(body.sealed.seq >= body.items[0].seq, true);
  assert.equal(typeof body.waiting, 'number');
});

test('who may not read the log, or reaches a part of the workspace only, is refused', async () => {
  const { platform } = world;
  const narrow = { name: 'narrow', role: 'admin', patterns: ['summarize'] };
  const { key } = (await platform.call('POST', '/v1/keys', narrow)).body;
  await platform.gateway.refresh();
  for (const path of ['', '/export', '/checkpoints', '/state', '/state/patterns']) {
    const operator = await platform.call('GET', `/v1/audit${path}`, undefined, {
      key: await platform.keyFor('operator'),
    });
    assert.equal(operator.status, 403, path);
    assert.equal((await platform.call('GET', `/v1/audit${path}`, undefined, { key })).status, 403, path);
  }
});

test('a reason that is no line of text is refused, and so is a time that is none', async () => {
  const { platform } = world;
  const give = (reason: string) =>
    platform.call('PUT', '/v1/roles/other', { permissions: ['run:read'] }, { headers: { 'damask-reason': reason } });
  assert.equal((await give('x'.repeat(501))).body.code, 'invalid_request');
  assert.equal((await give('\xff\xfe')).body.code, 'invalid_request');
  assert.equal((await give('a\tb')).status, 400);
  assert.equal((await platform.call('GET', '/v1/audit?since=yesterday')).status, 400);
  assert.equal((await platform.call('GET', '/v1/audit/export?format=xlsx')).status, 400);
});

test('a spreadsheet takes nothing in the CSV for a formula', async () => {
  const { platform } = world;
  const headers = { 'damask-reason': '=HYPERLINK("http://evil.example.com","x"),@SUM(1)' };
  await platform.call('PUT', '/v1/roles/formula', { permissions: ['run:read'] }, { headers });
  await platform.sealAudit();
  const { text, headers: answered } = await platform.call('GET', '/v1/audit/export?format=csv');
  assert.match(answered.get('content-type') ?? '', /^text\/csv/);
  assert.ok(text.includes(`,"'=HYPERLINK(""http://evil.example.com"",""x""),@SUM(1)",`));
});

test('Z-2: a reader of the log sees entries of the own workspace only, in lists, exports and checkpoints', async () => {
  const { platform } = world;
  await platform.call('PUT', '/v1/roles/beta_only', { permissions: ['run:read'] }, { key: platform.beta.ownerKey });
  await world.anchor();
  for (const path of ['/v1/audit?limit=200', '/v1/audit/export', '/v1/audit/checkpoints']) {
    const alpha = await platform.call('GET', path);
    const beta = await platform.call('GET', path, undefined, { key: platform.beta.ownerKey });
    assert.ok(!alpha.text.includes(platform.beta.id) && !alpha.text.includes('beta_only'), path);
    assert.ok(!beta.text.includes(platform.alpha.id), path);
    assert.ok(alpha.text.includes(platform.alpha.id) && beta.text.includes(platform.beta.id), path);
  }
});

test('G-9: what was changed by hand is listed, and nothing else', async () => {
  const { platform } = world;
  const made = await platform.call('POST', '/v1/keys', { name: 'by api', role: 'viewer' });
  await platform.call('PUT', '/v1/service-accounts/robot', { role: 'viewer' });
  await platform.call('POST', '/v1/keys', { name: 'of robot', role: 'viewer', service_account: 'robot' });
  await platform.call('PUT', '/v1/service-accounts/robot', { role: 'runner' });
  await platform.call('DELETE', '/v1/service-accounts/robot');
  await platform.call('PUT', '/v1/providers/own', { base_url: 'https://models.example.com/v2' });
  await platform.call('PUT', '/v1/retention', { rules: [{ of: 'runs', days: 30 }] });
  await platform.call('PUT', '/v1/redaction', { kinds: ['card'], expressions: [], model: false });
  await platform.call('PUT', '/v1/holds/case_1', { reason: 'a case', subject: 'ada@example.org' });
  await platform.call('PUT', '/v1/holds/case_2', { reason: 'a case', pattern: 'greet' });
  await platform.call('DELETE', '/v1/holds/case_2');
  const state = async () => [
    ...(await platform.call('GET', '/v1/audit/state')).body.items,
    ...(await platform.call('GET', '/v1/audit/state/patterns')).body.items,
  ];
  assert.deepEqual(await state(), []);
  const id = platform.alpha.id;
  const { rows } = {
    rows: await world.behind<{ id: string }>(
      `select id from identity.api_key where workspace = $1 and name = 'of robot'`,
      [id],
    ),
  };
  await world.behind(`update identity.api_key set role = 'owner' where id = $1`, [made.body.id]);
  await world.behind('update identity.api_key set revoked_at = null where id = $1', [rows[0]?.id]);
  await world.behind(`delete from identity.custom_role where workspace = $1 and name = 'formula'`, [id]);
  await world.behind(
    `insert into identity.account (id, email, name, created_at) values ('01a20000-0000-7000-8000-000000000001', 'm@example.com', 'M', now())`,
  );
  await world.behind(
    `insert into identity.member (workspace, account, role, source, created_at) values ($1, '01a20000-0000-7000-8000-000000000001', 'owner', 'local', now())`,
    [id],
  );
  await world.behind(`update pattern.provider set base_url = 'https://evil.example.com' where workspace = $1`, [id]);
  await world.behind('delete from pattern.legal_hold where workspace = $1', [id]);
  await world.behind(`update pattern.retention set rules = '[{"of": "runs", "days": 1}]' where workspace = $1`, [id]);
  await world.behind(`update pattern.redaction set rules = '{"kinds": [], "expressions": []}' where workspace = $1`, [
    id,
  ]);
  const found = (await state()).map(({ subject, what }: { subject: string; what: string }) => `${what} ${subject}`);
  assert.deepEqual(
    found.sort(),
    [
      'added member/01a20000-0000-7000-8000-000000000001',
      `changed key/${made.body.id}`,
      `changed key/${rows[0]?.id}`,
      'changed provider/own',
      'changed redaction',
      'changed retention',
      'removed hold/case_1',
      'removed role/formula',
    ].sort(),
  );
  assert.equal(await platform.lookForHandChanges(), 4);
  const [entry] = await told('&action=findHandChanges');
  assert.equal(entry?.details.count, 4);
  assert.ok(platform.logged.some((line) => JSON.stringify(line).includes('changed past the platform')));
});
