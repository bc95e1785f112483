import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { systemClock } from '../../server/src/platform/clock.ts';
import { createEgress } from '../../server/src/platform/egress/egress.ts';
import { makeTestCertificate } from '../../server/src/platform/testing/test-certificate.ts';
import { createImportPlanner } from '../../server/src/services/pattern/transfer/import-planner.ts';
import { startTestPlatform, type TestPlatform } from '../../server/src/testing/test-platform.ts';
import { eachMisdeed, type HostileServer, startHostileServer } from './hostile-server.ts';

const certificate = makeTestCertificate('localhost');
tls.setDefaultCACertificates([...tls.getCACertificates(), certificate.cert]);
const mebibyte = 1024 * 1024;

let hostile: HostileServer;
let secure: HostileServer;
let platform: TestPlatform;

before(async () => {
  hostile = await startHostileServer();
  secure = await startHostileServer(certificate);
  platform = await startTestPlatform({
    environment: { DAMASK_EGRESS_ALLOW: hostile.host, DAMASK_FIRST_BYTE_MS: '1000', DAMASK_IDLE_MS: '1000' },
  });
});
after(async () => {
  await platform.stop();
  await Promise.all([hostile.close(), secure.close()]);
});

test('U-7: a run fails by what its provider sends, in bounded time and memory', async () => {
  const provider = { base_url: `http://${hostile.host}/v1`, api_key: 'sk-of-the-attack', models: [{ id: 'x' }] };
  hostile.misdeed = 'another protocol';
  assert.equal((await platform.call('PUT', '/v1/providers/hostile', provider)).status, 200);
  const created = await platform.call('POST', '/v1/patterns', {
    name: 'asks',
    files: [{ path: 'system.md', content: 'Ask.' }],
  });
  assert.equal(created.status, 201, created.text);
  let settled = 0;
  for (const [round, stream] of [false, true, false, true].entries()) {
    // The first rounds bring what stays: code, connections, buffers.
    if (round === 2) settled = process.memoryUsage().rss;
    await eachMisdeed(hostile, async (misdeed) => {
      const run = { pattern: 'asks', input: 'x', model: 'hostile/x', stream, timeout_ms: 4_000 };
      const { status, text } = await platform.call('POST', '/v1/runs', run);
      const named = /"code":"(provider_protocol_error|provider_error|truncated|timeout)"/.exec(text)?.[1];
      assert.ok(named && (stream || status === 502 || status === 504), `${misdeed}: ${status} ${text.slice(0, 300)}`);
      await platform.call('PUT', '/v1/providers/hostile', { base_url: provider.base_url });
    });
  }
  const grown = process.memoryUsage().rss - settled;
  assert.ok(grown < 50 * mebibyte, `${Math.round(grown / mebibyte)} MiB more`);
});

test('U-7: a repository that is none imports nothing', async () => {
  const egress = createEgress({ allow: ['localhost'], clock: systemClock });
  const planner = createImportPlanner({ egress, clock: systemClock });
  await eachMisdeed(secure, async (misdeed) => {
    const plan = planner.planGit({ url: `https://${secure.host}/x.git` }, AbortSignal.timeout(8_000));
    const codes = ['unavailable', 'invalid_repository', 'timeout'];
    await assert.rejects(plan, ({ code }: { code: string }) => codes.includes(code), misdeed);
  });
  await Promise.all([planner.close(), egress.close()]);
});
