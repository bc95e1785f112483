import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeOtherWays } from './close-other-ways.ts';

test('a package that calls by itself gets an error, and cannot open the way again', async () => {
  const place = { fetch: globalThis.fetch, WebSocket: globalThis.WebSocket, EventSource: undefined };
  closeOtherWays(place);
  await assert.rejects(place.fetch('http://127.0.0.1:9/'), { code: 'egress_denied' });
  assert.throws(() => new place.WebSocket('ws://127.0.0.1:9/'), { code: 'egress_denied' });
  assert.throws(() => {
    place.fetch = globalThis.fetch;
  }, TypeError);
});
