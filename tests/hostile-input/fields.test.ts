import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Operation, pathParameters } from '@damask/contracts/operation.ts';
import { type Shape, takesBody, takesNoBody, titleOf } from '../sample-input.ts';
import { faultOfRefusal, type HostilePlatform, startHostilePlatform } from './hostile-platform.ts';
import { wrongQueryTexts, wrongValues } from './wrong-values.ts';

let hostile: HostilePlatform;
before(async () => {
  hostile = await startHostilePlatform();
});
after(() => hostile.stop());

const guarded = () => hostile.operations.filter(({ permission }) => permission !== 'public');

/** Fields outside the path, with their schemas. */
function fieldsOf(operation: Operation): [name: string, shape: Shape][] {
  const inPath = pathParameters(operation.path);
  const fields = Object.entries(operation.input.properties) as unknown as [string, Shape][];
  return fields.filter(([name]) => !inPath.includes(name));
}

const shorten = (value: unknown) => JSON.stringify(value)?.slice(0, 60);

test('no field of a body takes a value of another type or beyond its bounds', async (t) => {
  let asked = 0;
  await hostile.leavesNothing(async () => {
    const wrong: string[] = [];
    for (const operation of guarded().filter(takesBody)) {
      for (const [field, shape] of fieldsOf(operation)) {
        for (const { value, at } of wrongValues(shape)) {
          const { path, body } = hostile.request(operation, { [field]: value });
          const reply = await hostile.send(operation.method, path, { body: toJson(body) });
          asked += 1;
          const fault = faultOfRefusal(reply, {
            status: 400,
            code: 'invalid_request',
            pointer: `/${field}${at}`,
          });
          if (fault) wrong.push(`${titleOf(operation)} with ${field} = ${shorten(value)}: ${fault}`);
        }
      }
    }
    assert.deepEqual(wrong, []);
  });
  t.diagnostic(`${asked} cases`);
});

/** As JSON.stringify, which would write -0 as 0. */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_, item) => (Object.is(item, -0) ? '<-0>' : item)).replaceAll('"<-0>"', '-0');
}

test('no field of a query takes a value of another type or beyond its bounds', async (t) => {
  let asked = 0;
  await hostile.leavesNothing(async () => {
    const wrong: string[] = [];
    for (const operation of guarded().filter(takesNoBody)) {
      for (const [field, shape] of fieldsOf(operation)) {
        for (const text of wrongQueryTexts(shape)) {
          const { path } = hostile.request(operation, { [field]: text });
          if (path.length > 12_000) continue;
          const reply = await hostile.send(operation.method, path);
          asked += 1;
          const fault = faultOfRefusal(reply, { status: 400, code: 'invalid_request', pointer: `/${field}` });
          if (fault) wrong.push(`${titleOf(operation)} with ${field} = ${shorten(text)}: ${fault}`);
        }
      }
    }
    assert.deepEqual(wrong, []);
  });
  t.diagnostic(`${asked} cases`);
});

test('each required field that is missing is named', async (t) => {
  let asked = 0;
  await hostile.leavesNothing(async () => {
    for (const operation of guarded().filter(takesBody)) {
      const inPath = pathParameters(operation.path);
      const required = ((operation.input as unknown as Shape).required ?? []).filter((name) => !inPath.includes(name));
      for (const field of required) {
        const { path, body: sent } = hostile.request(operation);
        const body = (sent ?? {}) as Record<string, unknown>;
        const { [field]: _, ...rest } = body;
        const reply = await hostile.send(operation.method, path, { body: rest });
        asked += 1;
        const fault = faultOfRefusal(reply, { status: 400, code: 'invalid_request', pointer: `/${field}` });
        assert.equal(fault, undefined, `${titleOf(operation)} without ${field}`);
      }
    }
  });
  t.diagnostic(`${asked} cases`);
});

test('times that no calendar has are refused', async () => {
  const times = [
    ...['2026-01-31', '2026-01-31T00:00:00', '2026-13-01T00:00:00Z', '2026-02-29T00:00:00Z', '2026-01-31T24:00:00Z'],
    ...['2026-01-31T00:60:00Z', '2026-01-31T00:00:60Z', '0000-01-01T00:00:00Z', '2026-01-31T00:00:00+25:00', '1e9'],
    ...['2026-01-31 00:00:00Z', '+002026-01-31T00:00:00Z', 'now', 'infinity', '-infinity', 'epoch', '20260131T000000Z'],
  ];
  await hostile.leavesNothing(async () => {
    for (const time of times) {
      const list = await hostile.send('GET', `/v1/runs?since=${encodeURIComponent(time)}`);
      const made = await hostile.send('POST', '/v1/keys', { body: { name: 'x', role: 'viewer', expires_at: time } });
      assert.equal(
        `${list.status} ${list.body.pointer} ${made.status} ${made.body.pointer}`,
        '400 /since 400 /expires_at',
        time,
      );
    }
  });
});

test('times at the ends of the calendar are compared as times', async () => {
  const early = ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00+15:59', '1900-01-01T00:00:00Z', '1969-12-31T23:59:59Z'];
  const late = ['9999-12-31T23:59:59.999999999Z', '9999-12-31T23:59:59-15:59', '2100-01-01t00:00:00z'];
  const count = async (query: string) => {
    const reply = await hostile.send('GET', `/v1/runs?${query}`);
    assert.equal(reply.status, 200, `${query}: ${reply.text}`);
    return reply.body.items.length;
  };
  for (const time of early) {
    assert.equal(await count(`since=${encodeURIComponent(time)}`), 1, `since ${time}`);
    assert.equal(await count(`until=${encodeURIComponent(time)}`), 0, `until ${time}`);
  }
  for (const time of late) {
    assert.equal(await count(`since=${encodeURIComponent(time)}`), 0, `since ${time}`);
    assert.equal(await count(`until=${encodeURIComponent(time)}`), 1, `until ${time}`);
  }
});

test('names of keys show what they are', async () => {
  await hostile.leavesNothing(async () => {
    for (const name of ['   ', '\u200b', 'a\nb', 'a\u001b[31mb', '\u202eowner', 'a\u2028b', '\u{e0041}']) {
      const reply = await hostile.send('POST', '/v1/keys', { body: { name, role: 'viewer' } });
      const fault = faultOfRefusal(reply, { status: 400, code: 'invalid_request', pointer: '/name' });
      assert.equal(fault, undefined, JSON.stringify(name));
    }
  });
});

test('what two choices contradict is refused with the second one named', async () => {
  const base = { pattern: 'plain', input: 'x' };
  await hostile.leavesNothing(async () => {
    for (const [path, body, expected] of [
      ['/v1/runs', { ...base, version: 1, label: 'live' }, { status: 400, code: 'invalid_request', pointer: '/label' }],
      [
        '/v1/render',
        { ...base, label: 'live', environment: 'staging' },
        { status: 400, code: 'invalid_request', pointer: '/environment' },
      ],
      [
        '/v1/runs',
        { ...base, environment: 'production' },
        { status: 409, code: 'not_released', pointer: '/environment' },
      ],
      [
        '/v1/patterns',
        { name: 'x', system: 'x', files: [{ path: 'system.md', content: 'x' }] },
        { status: 400, code: 'invalid_request', pointer: '/files' },
      ],
      ['/v1/patterns', { name: 'x' }, { status: 400, code: 'invalid_request', pointer: '' }],
      ['/v1/patterns', { name: 'plain', system: 'x' }, { status: 409, code: 'already_exists', pointer: '/name' }],
    ] as const) {
      const reply = await hostile.send('POST', path, { body });
      assert.equal(faultOfRefusal(reply, expected), undefined, JSON.stringify(body));
    }
  });
});
