import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemClock } from '../../server/src/platform/clock.ts';
import { type ModelServer, startModelServer } from '../../server/src/platform/testing/model-server.ts';
import { type MainServer, startServer } from '../../server/src/testing/main-process.ts';

let home: string;
let model: ModelServer;
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'damask-rotation-'));
  model = await startModelServer((call, answer) => answer.say(`You said: ${call.messages.at(-1)?.content}`));
});
after(async () => {
  await model.close();
  await rm(home, { recursive: true, force: true, maxRetries: 3 });
});

const start = () =>
  startServer({ HOME: home, OPENAI_BASE_URL: model.url, OPENAI_API_KEY: 'sk-x', DAMASK_MODEL: 'openai/x' });

async function runAll(server: MainServer, count: number, text: string): Promise<string[]> {
  const ids: string[] = [];
  for (let from = 0; from < count; from += 20) {
    const some = Array.from({ length: Math.min(20, count - from) }, (_, at) =>
      server.call('POST', '/v1/runs', { pattern: 'say', input: `${text} ${from + at}` }),
    );
    for (const { http, id } of await Promise.all(some)) {
      assert.equal(http, 200);
      ids.push(id);
    }
  }
  return ids;
}

test('a rotation that is killed in the middle goes on after the next start, and every text reads', async () => {
  let server = await start();
  assert.equal((await server.call('POST', '/v1/patterns', { name: 'say', system: 'Say it.' })).http, 201);
  const ids = await runAll(server, 2_000, 'before');
  assert.equal((await server.call('POST', '/v1/encryption/rotation')).http, 202);
  let half = false;
  while (!half) {
    const { rotation } = await server.call('GET', '/v1/encryption');
    half = rotation.state !== 'running' || (rotation.rows > 1_000 && rotation.rows_left < rotation.rows / 2);
    if (!half) await systemClock.sleep(5);
  }
  server.child.kill('SIGKILL');
  await server.child.exited;
  server = await start();
  const later = await runAll(server, 50, 'after');
  for (;;) {
    const { rotation } = await server.call('GET', '/v1/encryption');
    assert.equal(rotation.rows_failed, 0);
    if (rotation.state === 'waiting') break;
    await systemClock.sleep(100);
  }
  for (const [at, id] of [...ids, ...later].entries()) {
    const { http, input } = await server.call('GET', `/v1/runs/${id}`);
    const expected = at < ids.length ? `before ${at}` : `after ${at - ids.length}`;
    assert.deepEqual([http, input], [200, expected]);
  }
  server.child.kill('SIGTERM');
  await server.child.exited;
});
