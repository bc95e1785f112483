import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import { startModelServer } from '../../server/src/platform/testing/model-server.ts';
import { testDatabase } from '../../server/src/platform/testing/postgres.ts';
import { createCaller, makeHome, readKey, type ServerProcess, startServer } from '../e2e/server-process.ts';

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const callsAllowed = 12;

test('two servers share a budget for twelve calls, one of them is killed again and again, and twelve go out at most', async () => {
  const database = await testDatabase();
  let usage = { prompt_tokens: 10, completion_tokens: 5 };
  const model = await startModelServer((_, answer) => void setTimeout(() => answer.say('Fine.', { usage }), 200));
  const admin = new pg.Client(database.connection);
  await admin.connect();
  const homes = [await makeHome(), await makeHome()] as const;
  const keyFile = join(homes[0].path, 'shared', 'key');
  await mkdir(dirname(keyFile));
  const environment = {
    DAMASK_DATABASE_URL: database.url,
    DAMASK_KEY_FILE: keyFile,
    OPENAI_BASE_URL: model.url,
    DAMASK_MAX_TOKENS: '100',
  };
  const servers: ServerProcess[] = [];
  const start = async (at: 0 | 1) => {
    const server = startServer(homes[at], { environment });
    servers[at] = server;
    return server.event('ready');
  };
  const state = async () => {
    const { rows } = await admin.query(
      `select (select coalesce(sum(spent_tokens), 0) from pattern.budget_period)::int as spent,
              (select coalesce(sum(tokens), 0) from pattern.budget_lease)::int as held`,
    );
    return rows[0] as { spent: number; held: number };
  };
  let watching: Promise<unknown> | undefined;
  let over = false;
  try {
    const first = await start(0);
    const key = await readKey(homes[0], first.instance ?? '');
    const second = await start(1);
    const call = [createCaller(first.url ?? '', key), createCaller(second.url ?? '', key)];
    await call[0]?.('POST', '/v1/patterns', { name: 'greet', system: 'Greet.' });
    await sleep(1_000);
    const body = { pattern: 'greet', input: 'hi', model: 'openai/test' };
    const put = (limit_tokens: number) =>
      call[0]?.('PUT', '/v1/budgets/all', { covers: 'workspace', period: 'month', limit_tokens });
    await put(10_000);
    const probe = call[0]?.('POST', '/v1/runs', body);
    await sleep(100);
    const { rows } = await admin.query('select tokens::int from pattern.budget_hold');
    const most = rows[0].tokens as number;
    assert.equal((await probe)?.status, 200);
    await call[0]?.('DELETE', '/v1/budgets/all');
    usage = { prompt_tokens: most - 100, completion_tokens: 100 };
    await put(callsAllowed * most);
    await sleep(1_000);
    const before = model.calls.length;
    const exceeded: object[] = [];
    watching = (async () => {
      while (!over) {
        const now = await state();
        if (now.spent + now.held > callsAllowed * most) exceeded.push(now);
        await sleep(20);
      }
    })();
    for (let round = 0; round < 3; round++) {
      const sent = Array.from({ length: 20 }, (_, i) =>
        call[i % 2]?.('POST', '/v1/runs', i % 5 === 0 ? { ...body, mode: 'async' } : body).catch(() => undefined),
      );
      await sleep(100);
      servers[1]?.child.kill('SIGKILL');
      await Promise.all(sent);
      await servers[1]?.exited;
      const again = await start(1);
      call[1] = createCaller(again.url ?? '', key);
    }
    for (let tries = 0; tries < 90 && (await state()).held > 0; tries++) await sleep(500);
    over = true;
    await watching;
    assert.deepEqual(exceeded, []);
    const { spent, held } = await state();
    assert.equal(held, 0, 'at rest nothing is reserved');
    assert.ok(spent <= callsAllowed * most && spent >= 10 * most, `${spent / most} calls were charged`);
    const calls = model.calls.length - before;
    assert.ok(calls <= spent / most, `${calls} calls went out, ${spent / most} were charged`);
  } finally {
    over = true;
    await watching?.catch(() => undefined);
    for (const server of servers) server.child.kill('SIGKILL');
    await Promise.all(servers.map((server) => server.exited));
    await sleep(1_000);
    await admin.end();
    await database.drop().catch(() => undefined);
    await model.close();
    for (const home of homes) await home.remove();
  }
});
