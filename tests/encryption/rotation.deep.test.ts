import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { after, before, test } from 'node:test';
import type { encryptionOperations } from '@damask/contracts/encryption.ts';
import type { Client } from '../../server/src/platform/call.ts';
import { systemClock } from '../../server/src/platform/clock.ts';
import { placeName } from '../../server/src/platform/crypto/sealed-column.ts';
import { systemContext } from '../../server/src/platform/system-context.ts';
import { startTransitServer } from '../../server/src/platform/testing/vault-transit-server.ts';
import { createVault } from '../../server/src/platform/vault.ts';
import { runMain } from '../../server/src/testing/main-process.ts';
import { canariesOf, type FullWorkspace, fillWorkspace, sealedColumns, startFullWorkspace } from './full-workspace.ts';

let full: FullWorkspace;
let firstRun: string;
let workspace: string;
before(async () => {
  full = await startFullWorkspace('what the model says');
  workspace = full.platform.alpha.id;
  firstRun = await fillWorkspace(full, canariesOf(1), 1);
  await fillWorkspace(full, canariesOf(2), 2);
});
after(() => full.stop());

const status = () => full.must('GET', '/v1/encryption');

async function until(state: string) {
  for (let tries = 0; tries < 200; tries++) {
    const found = await status();
    if (found.rotation?.state === state) return found;
    await systemClock.sleep(50);
  }
  const said = full.platform.logged.filter(({ level }) => level === 'warn');
  throw new Error(`The rotation did not come to ${state}: ${JSON.stringify([await status(), said.slice(-3)])}`);
}

/** How many cells each version of the data key has sealed. */
async function cellsByVersion(): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const { table, column } of sealedColumns) {
    const rows = await full.sql<{ head: Buffer }>(
      `select substring(${column} from 2 for 4) as head from ${table} where workspace = $1 and ${column} is not null`,
      [workspace],
    );
    for (const { head } of rows) counts[head.readUInt32BE()] = (counts[head.readUInt32BE()] ?? 0) + 1;
  }
  return counts;
}

/** As if all processes that knew older versions were long gone. */
const letTimePass = () =>
  full.sql(
    `update platform.rotation set started_at = started_at - interval '1 hour', pass_at = least(pass_at, now())
      where workspace = $1 and finished_at is null`,
    [workspace],
  );

async function everythingReads() {
  const canaries = canariesOf(1);
  const { must, platform } = full;
  assert.equal((await must('GET', `/v1/runs/${firstRun}`)).input, canaries.input);
  assert.equal((await must('GET', '/v1/contexts/facts_2')).content, canariesOf(2).context);
  const { items } = await must('GET', '/v1/sessions/talk_1/turns');
  assert.equal(items[0].content, canaries.turn);
  assert.equal((await must('GET', '/v1/timers/clock_1')).run.input, canaries.timerInput);
  const found = await must('GET', `/v1/runs?subject=${encodeURIComponent(canaries.subject)}`);
  assert.deepEqual(
    found.items.map(({ id }: { id: string }) => id),
    [firstRun],
  );
  const kept = await must('POST', '/v1/subjects/export', { subject: canaries.person });
  assert.deepEqual(
    kept.items.map(({ run }: { run: { input: string } }) => run.input),
    [canaries.input],
  );
  const asked = { pattern: 'greet_1', input: 'x', variables: { topic: 'x' }, model: 'models_1/x' };
  assert.equal((await platform.call('POST', '/v1/runs', asked)).status, 200);
  assert.ok(full.model.calls.at(-1)?.authorization?.includes(canaries.providerKey));
  for (const column of sealedColumns) {
    const names = [...Object.keys(column.key), ...(column.also ?? [])];
    const rows = await full.sql<{ fields: Record<string, string>; sealed: Buffer }>(
      `select jsonb_build_object(${names.map((name) => `'${name}', ${name}::text`).join(', ')}) as fields, ${column.column} as sealed
         from ${column.table} where workspace = $1 and ${column.column} is not null`,
      [workspace],
    );
    for (const { fields, sealed } of rows) {
      const opening = platform.floor.vault.open(workspace, column.place(fields), sealed);
      await assert.doesNotReject(opening, placeName(column));
    }
  }
}

test('a new data key: everything is sealed anew while others read and write, and the old key is gone in the end', async () => {
  const { must, sql } = full;
  const [late] = await sql<{ content: Buffer }>(`select content from pattern.context where name = 'facts_2'`);
  const begun = await must('POST', '/v1/encryption/rotation');
  assert.deepEqual([begun.versions[0].version, begun.rotation.state], [2, 'running']);
  assert.equal((await must('POST', '/v1/encryption/rotation')).versions[0].version, 2);
  const audit = await sql(`select from identity.audit where action = 'rotateDataKey'`);
  const event = await sql(`select from identity.outbox where name = 'identity.data-key-rotated'`);
  assert.deepEqual([audit.length, event.length], [1, 1]);

  let last = '';
  let writing = true;
  const writer = (async () => {
    for (let count = 0; writing; count++) {
      await systemClock.sleep(50);
      last = `written meanwhile ${count}`;
      await must('PUT', '/v1/contexts/busy', { content: last });
      await must('POST', '/v1/runs', { pattern: 'greet_1', input: last, variables: { topic: 'x' }, model: 'openai/x' });
    }
  })();
  await until('waiting');
  writing = false;
  await writer;
  assert.equal((await must('GET', '/v1/contexts/busy')).content, last);
  assert.deepEqual(Object.keys(await cellsByVersion()), ['2']);
  assert.equal((await status()).versions.length, 2, 'the old version stays while anybody may seal with it');
  await everythingReads();

  // Somebody who had not heard of the new version writes late.
  await sql(`update pattern.context set content = $1 where name = 'facts_2'`, [late?.content]);
  await letTimePass();
  const { versions, rotation } = await until('finished');
  assert.deepEqual(
    versions.map(({ version }: { version: number }) => version),
    [2],
  );
  assert.deepEqual([rotation.rows_failed, rotation.rows_left], [0, 0]);
  assert.deepEqual(Object.keys(await cellsByVersion()), ['2']);
  await full.platform.floor.vault.follow();
  await everythingReads();
});

test('a cell that does not open keeps the old version, and is told', async () => {
  const { must, sql, platform } = full;
  const { id } = await must('POST', '/v1/runs', { pattern: 'greet_1', input: 'x', variables: { topic: 'x' } });
  await sql('update pattern.finished set payload = set_byte(payload, 60, 255 - get_byte(payload, 60)) where id = $1', [
    id,
  ]);
  await must('POST', '/v1/encryption/rotation');
  await until('waiting');
  await letTimePass();
  const { versions, rotation } = await until('finished');
  assert.equal(rotation.rows_failed, 1);
  assert.deepEqual(
    versions.map(({ version }: { version: number }) => version),
    [3, 2],
  );
  const reply = await platform.call('GET', `/v1/runs/${id}`);
  assert.deepEqual([reply.status, reply.body.code], [503, 'unavailable']);
  await sql('delete from pattern.finished where id = $1', [id]);
  await everythingReads();
});

test('an end user is found and erased whose texts older data keys had sealed', async () => {
  const { must, sql, platform } = full;
  const { person: subject, input } = canariesOf(2);
  const [run] = (await must('GET', `/v1/runs?subject=${encodeURIComponent(subject)}`)).items;
  assert.equal((await must('GET', `/v1/runs/${run.id}`)).input, input);
  const hold = await platform.call('POST', '/v1/subjects/erasures', { subject });
  assert.deepEqual([hold.status, hold.body.code], [409, 'on_hold']);
  await must('DELETE', '/v1/holds/case_2');
  const { id } = await must('POST', '/v1/subjects/erasures', { subject });
  while ((await must('GET', `/v1/subjects/erasures/${id}`)).state === 'running') await systemClock.sleep(100);
  assert.equal((await must('GET', `/v1/subjects/erasures/${id}`)).state, 'done');
  const { texts, input: left } = await must('GET', `/v1/runs/${run.id}`);
  assert.deepEqual([texts, left], ['erased', null]);
  assert.equal((await sql('select from pattern.subject_key where workspace = $1', [workspace])).length, 1);
});

test('the key file is replaced while the platform serves, killed or not, and the old one can be removed', async (t) => {
  const { platform, sql } = full;
  const { host, database } = platform.connection;
  const path = platform.config.storage.key_file;
  const env = {
    HOME: platform.folder,
    DAMASK_KEY_FILE: path,
    DAMASK_DATABASE_URL: `postgres://damask@${encodeURIComponent(String(host))}:5432/${database}`,
  };
  const wrappers = async () =>
    (await sql<{ kek: string }>('select distinct kek from platform.data_key order by kek')).map(({ kek }) => kek);
  const [old = ''] = await wrappers();
  const rotated = await runMain(['key-rotate'], env);
  assert.equal(rotated.code, 0, rotated.out);
  const [fresh = '', ...others] = await wrappers();
  assert.deepEqual([others, fresh === old], [[], false]);

  // As if the first had been killed in the middle: some keys are still wrapped by the old one.
  const [row] = await sql<{ version: number; wrapped: Buffer }>(
    'select version, wrapped from platform.data_key where workspace = $1 order by version limit 1',
    [workspace],
  );
  const context = { workspace, version: row?.version ?? 0 };
  const bytes = await (await platform.floor.keys.find(fresh))?.unwrap(context, row?.wrapped as Buffer);
  const oldWrapped = await (await platform.floor.keys.find(old))?.wrap(context, bytes as Buffer);
  await sql('update platform.data_key set kek = $1, wrapped = $2 where workspace = $3 and version = $4', [
    old,
    oldWrapped,
    workspace,
    row?.version,
  ]);
  const resumed = await runMain(['key-rotate'], env);
  assert.match(resumed.out, /1 were wrapped by another key before/);
  assert.deepEqual(await wrappers(), [fresh], 'the second made yet another key');

  await rm(`${path}.${old}`);
  assert.deepEqual(
    (await readdir(dirname(path))).filter((name) => name.startsWith(basename(path))),
    [basename(path)],
  );
  const { floor } = platform;
  const vault = createVault({ ...floor, process: floor.registry.id });
  await vault.ready(workspace);
  const [cell] = await sql<{ content: Buffer }>(`select content from pattern.context where name = 'facts_2'`);
  const place = { table: 'pattern.context', row: 'facts_2', column: 'content' };
  assert.equal((await vault.open(workspace, place, cell?.content as Buffer)).toString(), canariesOf(2).context);
  await everythingReads();

  const key = Buffer.from(Array.from({ length: 32 }, (_, at) => (at * 89 + at * at * 7) & 0xff)).toString('base64');
  const moved = await runMain(['key-rotate', '--to', 'environment'], { ...env, DAMASK_KEY: key });
  assert.match(moved.out, /Set DAMASK_KEY_SOURCE=environment/);
  const keeper = await startTransitServer();
  t.after(() => keeper.close());
  const vaultEnv = { ...env, DAMASK_KEY: key, DAMASK_VAULT_URL: keeper.url, DAMASK_VAULT_KEY: 'damask' };
  const atVault = { ...vaultEnv, DAMASK_VAULT_TOKEN: 'root-token' };
  const there = await runMain(['key-rotate', '--to', 'vault'], atVault);
  assert.equal(there.code, 0, there.out);
  const wrapped = () => sql<{ wrapped: Buffer }>('select wrapped from platform.data_key order by workspace, version');
  const kept = await wrapped();
  keeper.turn();
  keeper.fault = 'lies';
  const lied = await runMain(['key-rotate'], { ...atVault, DAMASK_KEY_SOURCE: 'vault' });
  assert.match(lied.out, /does not give back what it wrapped/);
  assert.deepEqual(await wrapped(), kept, 'the only copy of a key was overwritten with something else');
  keeper.fault = 'none';
  const back = await runMain(['key-rotate'], atVault);
  assert.equal(back.code, 0, back.out);
  assert.deepEqual(await wrappers(), [fresh]);
});

test('a workspace that is shredded says so in every process within a second, and its neighbour reads on', async () => {
  const { platform, sql } = full;
  const { alpha, beta } = platform;
  const asBeta = (method: string, path: string, body?: unknown) =>
    platform.call(method, path, body, { key: beta.ownerKey });
  await asBeta('POST', '/v1/patterns', { name: 'greet', system: 'Greet.' });
  const { body: run } = await asBeta('POST', '/v1/runs', { pattern: 'greet', input: 'of beta', model: 'openai/x' });
  assert.equal((await asBeta('GET', `/v1/runs/${run.id}`)).body.input, 'of beta');
  await asBeta('PUT', '/v1/contexts/facts', { content: 'of beta, too' });

  const { host, database } = platform.connection;
  const env = {
    HOME: platform.folder,
    DAMASK_KEY_FILE: platform.config.storage.key_file,
    DAMASK_DATABASE_URL: `postgres://damask@${encodeURIComponent(String(host))}:5432/${database}`,
  };
  const identity = platform.clients.identity as unknown as Client<typeof encryptionOperations>;
  const shred = (id: string, name: string) =>
    identity.shredWorkspace(systemContext(systemClock), { workspace: id, name });
  await assert.rejects(shred(beta.id, 'alpha'), /has another name. Nothing was destroyed/);
  await assert.rejects(shred(systemClock.uuid(), 'beta'), { code: 'not_found' });
  assert.equal((await asBeta('GET', `/v1/runs/${run.id}`)).status, 200);
  const done = await runMain(['workspace-shred', beta.id, '--confirm', 'beta'], env);
  assert.equal(done.code, 0, done.out);

  for (let tries = 0; tries < 40 && (await asBeta('GET', `/v1/runs/${run.id}`)).status === 200; tries++) {
    await systemClock.sleep(50);
  }
  const tried = [
    await asBeta('GET', `/v1/runs/${run.id}`),
    await asBeta('POST', '/v1/runs', { pattern: 'greet', input: 'x', model: 'openai/x' }),
    await asBeta('POST', '/v1/runs', { pattern: 'greet', input: 'x', model: 'openai/x', mode: 'async' }),
    await asBeta('GET', '/v1/contexts/facts'),
    await asBeta('PUT', '/v1/contexts/facts', { content: 'x' }),
    await asBeta('GET', '/v1/encryption'),
    await asBeta('POST', '/v1/encryption/rotation'),
  ];
  for (const { status: code, body, text } of tried) {
    assert.deepEqual([code, body.code], [410, 'workspace_shredded'], text);
    assert.doesNotMatch(text, /of beta/);
  }
  const audit = await sql<{ workspace: string }>(
    `select workspace from identity.audit where action = 'shredWorkspace'`,
  );
  assert.deepEqual(audit, [{ workspace: beta.id }]);
  const keys = await sql('select from platform.data_key where workspace = $1', [beta.id]);
  assert.equal(keys.length, 0);
  assert.equal((await shred(beta.id, 'beta')).keys, 0);
  assert.equal(alpha.id, workspace);
  await everythingReads();
});
