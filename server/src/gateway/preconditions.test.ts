import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

let platform: TestPlatform;
before(async () => {
  platform = await startTestPlatform();
});
after(() => platform.stop());

const things: Record<string, { path: string; bodies: readonly [object, object] }> = {
  strategy: { path: '/v1/strategies/one', bodies: [{ prompt: 'first' }, { prompt: 'second' }] },
  context: { path: '/v1/contexts/one', bodies: [{ content: 'first' }, { content: 'other' }] },
};

for (const [what, { path, bodies }] of Object.entries(things)) {
  test(`a ${what} that has changed since it was read is not overwritten and not deleted`, async () => {
    const { call } = platform;
    const matching = (tag: string) => ({ headers: { 'if-match': tag } });
    assert.equal((await call('PUT', path, bodies[0], matching('"any"'))).status, 412, 'not there yet');
    assert.equal((await call('PUT', path, bodies[0])).status, 200);
    const read = (await call('GET', path)).headers.get('etag') as string;
    assert.equal((await call('PUT', path, bodies[1], matching(`"other", ${read}`))).status, 200);
    const stale = await call('PUT', path, bodies[0], matching(read));
    assert.deepEqual([stale.status, stale.body.code], [412, 'precondition_failed']);
    const now = (await call('GET', path)).headers.get('etag') as string;
    assert.notEqual(now, read);
    for (const tag of [read, `W/${now}`, 'nonsense']) {
      assert.equal((await call('DELETE', path, undefined, matching(tag))).status, 412, tag);
    }
    assert.equal((await call('DELETE', path, undefined, matching(now))).status, 200);
    assert.equal((await call('DELETE', path, undefined, matching('*'))).status, what === 'context' ? 412 : 404);
  });
}

test('a pattern that has changed since it was read is not published over, labelled or deleted', async () => {
  const { call } = platform;
  const path = '/v1/patterns/summarize';
  const read = (await call('GET', path)).headers.get('etag') as string;
  const publish = (system: string, tag: string) =>
    call('POST', `${path}/versions`, { system }, { headers: { 'if-match': tag } });
  assert.equal((await publish('Two.', read)).status, 201);
  assert.equal((await publish('Three.', read)).status, 412);
  const stale = { headers: { 'if-match': read } };
  assert.equal((await call('PUT', `${path}/labels/good`, { version: 1 }, stale)).status, 412);
  assert.equal((await call('DELETE', path, undefined, stale)).status, 412);
  assert.deepEqual([(await call('GET', path)).body.version, (await call('GET', path)).body.labels], [2, {}]);
  assert.equal(
    (await call('PUT', `${path}/labels/good`, { version: 1 }, { headers: { 'if-match': '*' } })).status,
    200,
  );
});

test('of many who build on the same read, one writes', async () => {
  const { call } = platform;
  const tag = (await call('GET', '/v1/patterns/translate')).headers.get('etag') as string;
  const all = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      call('POST', '/v1/patterns/translate/versions', { system: `Text ${index}.` }, { headers: { 'if-match': tag } }),
    ),
  );
  assert.deepEqual(all.map(({ status }) => status).sort(), [201, 412, 412, 412, 412, 412, 412, 412]);
});

test('a condition that cannot be kept is refused instead of ignored', async () => {
  const { call } = platform;
  const unknown = await call('POST', '/v1/keys', { name: 'x', role: 'viewer' }, { headers: { 'if-match': '*' } });
  assert.deepEqual([unknown.status, unknown.body.code], [400, 'invalid_request']);
  const absent = await call('PUT', '/v1/strategies/x', { prompt: 'x' }, { headers: { 'if-none-match': '*' } });
  assert.equal(absent.status, 400);
  const twice = await call('PUT', '/v1/strategies/x', { prompt: 'x', if_match: '*' }, { headers: { 'if-match': '*' } });
  assert.equal(twice.status, 400);
});
