import assert from 'node:assert/strict';
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadKeyFile } from './platform/crypto/key-file.ts';
import { createLocalWrappingKey, ringOf } from './platform/crypto/local-wrapping-key.ts';
import { startModelServer } from './platform/testing/model-server.ts';
import { createVault } from './platform/vault.ts';
import { runMain } from './testing/main-process.ts';
import { startTestPlatform, type TestPlatform } from './testing/test-platform.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'damask-key-'));
});
after(() => rm(folder, { recursive: true, force: true }));

test('a key file that was exported comes back with its code, and never over another key', async () => {
  const path = join(folder, 'master.key');
  const env = { HOME: folder, DAMASK_KEY_FILE: path };
  await loadKeyFile({ path, allowCreate: true });
  const before = await readFile(path, 'utf8');
  const recovery = join(folder, 'recovery.txt');
  const exported = await runMain(['key-export', recovery], env);
  assert.equal(exported.code, 0, exported.out);
  assert.equal((await stat(recovery)).mode & 0o777, 0o600);
  assert.match((await runMain(['key-export', recovery], env)).out, /there already/);

  await rename(path, join(folder, 'away.key'));
  const code = exported.out.split('\n')[0] as string;
  assert.match((await runMain(['key-import', recovery], env, 'WRONG')).out, /32 letters/);
  assert.equal((await runMain(['key-import', recovery], env, `${code}\n`)).code, 0);
  assert.equal(await readFile(path, 'utf8'), before);
  await writeFile(path, before.replace(/\n.{4}/, '\nAAAA'));
  const refused = await runMain(['key-import', recovery], env, `${code}\n`);
  assert.match(refused.out, /holds another key/);
  assert.equal(refused.code, 1);
});

test('with a key that is lost for good the old texts stay closed, everything else stays, and new texts can be read', async () => {
  const model = await startModelServer();
  const platform: TestPlatform = await startTestPlatform({ modelUrl: model.url });
  try {
    await platform.call('POST', '/v1/patterns', { name: 'greet', system: 'Greet.' });
    const { body: run } = await platform.call('POST', '/v1/runs', { pattern: 'greet', input: 'before' });
    await platform.call('PUT', '/v1/contexts/background', { content: 'secret' });
    const { host, database } = platform.connection;
    const path = join(folder, 'new.key');
    const env = {
      HOME: folder,
      DAMASK_KEY_FILE: path,
      DAMASK_DATABASE_URL: `postgres://damask@${encodeURIComponent(String(host))}:5432/${database}`,
    };
    assert.match((await runMain(['key-replace', '--lost'], env)).out, /A platform runs on this database/);
    await platform.floor.registry.stop();
    const replaced = await runMain(['key-replace', '--lost'], env);
    assert.match(replaced.out, /workspaces have new keys/);
    assert.match((await runMain(['key-replace', '--lost'], env)).out, /Nothing needs to be replaced/);

    // What a process that starts now reads with the new key.
    const kek = await loadKeyFile({ path, allowCreate: false });
    const vault = createVault({
      database: platform.floor.database,
      keys: ringOf(createLocalWrappingKey(kek, 'file', path)),
      log: platform.floor.log,
      process: platform.floor.registry.id,
      clock: platform.floor.clock,
    });
    const place = { table: 't', row: 'r', column: 'c' };
    await vault.ready(platform.alpha.id);
    const sealed = await vault.seal(platform.alpha.id, place, Buffer.from('after'));
    assert.equal((await vault.open(platform.alpha.id, place, sealed)).toString(), 'after');
    const old = await platform.floor.vault.seal(platform.alpha.id, place, Buffer.from('before'));
    await assert.rejects(vault.open(platform.alpha.id, place, old), /cannot be read any more/);
    assert.equal((await platform.call('GET', `/v1/runs/${run.id}`)).status, 200);
  } finally {
    await platform.stop();
    await model.close();
  }
});
