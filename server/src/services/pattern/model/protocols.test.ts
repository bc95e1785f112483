import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startVendorServer, type VendorServer } from '#platform/testing/vendor-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';
import { beginStream, streamOf, vendors } from './vendors-for-tests.ts';

let platform: TestPlatform;
let servers: readonly VendorServer[];

before(async () => {
  platform = await startTestPlatform({ environment: { DAMASK_EGRESS_ALLOW: '127.0.0.1' } });
  await platform.call('POST', '/v1/patterns', { name: 'greet', system: 'Greet kindly.' });
  servers = await Promise.all(
    vendors.map((vendor) =>
      startVendorServer(({ path, body }, response) => {
        if (body.stream === true || path.includes('stream')) {
          beginStream(vendor, response);
          response.end(streamOf(vendor, ['Good ', 'day.']));
        } else {
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(JSON.stringify(vendor.whole('Good day.', vendor.usage(11, 7))));
        }
      }),
    ),
  );
});
after(async () => {
  await platform.stop();
  await Promise.all(servers.map((server) => server.close()));
});

for (const [at, { protocol }] of vendors.entries()) {
  test(`a run of a workspace's own provider speaks ${protocol}`, async () => {
    const server = servers[at] as VendorServer;
    const put = await platform.call('PUT', `/v1/providers/my-${protocol}`, {
      base_url: server.origin,
      protocol,
      api_key: 'sk-mine',
      models: [{ id: 'm', input_price: 1_000_000, output_price: 2_000_000 }],
    });
    assert.equal(put.status, 200, put.text);
    const request = { pattern: 'greet', input: 'Ada', model: `my-${protocol}/m`, parameters: { stop: ['END'] } };
    const whole = await platform.call('POST', '/v1/runs', request);
    assert.equal(whole.status, 200, whole.text);
    const { output, stop_reason, usage, cost_micros } = whole.body;
    assert.deepEqual([output, stop_reason, usage.input_tokens, usage.output_tokens], ['Good day.', 'stop', 11, 7]);
    assert.equal(cost_micros, 25);
    const streamed = await platform.call('POST', '/v1/runs', { ...request, stream: true });
    assert.match(streamed.text, /event: run.succeeded[^\n]*\n(id: .*\n)?data: .*"output":"Good day\."/);
    const calls = server.calls.filter((call) => call.text.includes('Ada'));
    assert.equal(calls.length, 2);
    for (const call of calls) assert.match(call.text, /Greet kindly\..*END|END.*Greet kindly\./s);
    assert.ok(JSON.stringify(calls[0]?.headers).includes('sk-mine'));
    assert.ok(!whole.text.includes('sk-mine'));
  });
}
