import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendJson, sendProblem, startScriptedServer } from '../../../sdk/test/scripted-server.ts';
import { runCli } from '../../test/run-cli.ts';

const budget = {
  name: 'nightly',
  covers: 'pattern',
  of: 'summarize',
  period: 'month',
  limit_micros: 2_000_000,
  limit_tokens: 100_000,
  spent_micros: 1_000_000,
  spent_tokens: 80_000,
  reserved_micros: 0,
  reserved_tokens: 10_000,
  left_micros: 1_000_000,
  left_tokens: 10_000,
  currency: 'USD',
  period_start: '2026-11-01T00:00:00.000Z',
  resets_at: '2026-12-01T00:00:00.000Z',
  updated_at: '2026-11-20T10:00:00.000Z',
};

/** A server with one budget; tells what was put. */
async function startServer() {
  const put: { url: string; body: Record<string, unknown> }[] = [];
  const opened = await startScriptedServer(({ method, url, body }, response) => {
    if (method === 'PUT') put.push({ url, body: JSON.parse(String(body)) });
    if (url.endsWith('/nigthly')) sendProblem(response, 404, 'not_found');
    else if (method === 'GET' && !url.includes('/nightly')) sendJson(response, 200, { items: [budget] });
    else sendJson(response, 200, budget);
  });
  return { opened, put };
}

test('budgets are listed with a bar of the limit that is nearest to its end', async () => {
  const { opened } = await startServer();
  await using server = opened;
  const { stdout } = await runCli(['budgets'], { url: server.url });
  assert.match(stdout, /nightly +pattern summarize +█{16}▒{2}░{2} +80 % +\$2\.00 and 100,000 tokens a month/);
  const shown = await runCli(['budgets', 'show', 'nightly'], { url: server.url });
  assert.match(
    shown.stdout,
    /spent +\$1\.00, 80,000 tokens\nreserved +\$0, 10,000 tokens\nleft +\$1\.00, 10,000 tokens/,
  );
  const missing = await runCli(['budgets', 'show', 'nigthly'], { url: server.url });
  assert.match(missing.stderr, /Did you mean 'nightly'\?/);
});

test('a budget is put in whole millionths, for one thing, and without a limit not at all', async () => {
  const { opened, put } = await startServer();
  await using server = opened;
  const set = (...args: string[]) => runCli(['budgets', 'set', 'nightly', ...args], { url: server.url });
  const made = await set('--money', '0.07', '--per', 'month', '--pattern', 'summarize');
  assert.equal(made.code, 0, made.stderr);
  assert.deepEqual(put[0]?.body, { covers: 'pattern', of: 'summarize', period: 'month', limit_micros: 70_000 });
  assert.equal((await set('--money', '1e309')).code, 2);
  assert.equal((await set('--money', '1', '--pattern', 'a', '--key', 'b')).code, 2);
  assert.equal(put.length, 1);
});
