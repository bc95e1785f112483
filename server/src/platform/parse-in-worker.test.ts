import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createJsonBuilder, cutJson } from './json-pieces.ts';
import { createJsonWorkers } from './parse-in-worker.ts';
import { jsonLimits } from './strict-json.ts';

const workers = createJsonWorkers({ size: 1 });
after(() => workers.close());

const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value));

test('values cut into pieces come out the same', () => {
  const long = 'é😀'.repeat(300_000);
  const many = Array.from({ length: 30_000 }, (_, i) => ({
    path: `p${i}`,
    content: 'x'.repeat(i % 50),
    list: [i, null],
  }));
  const values = [
    1,
    null,
    'x',
    [],
    {},
    long,
    [long, '', [long]],
    { a: long, b: { c: long, 'd/e': [] } },
    many,
    { many, n: 1 },
  ];
  for (const value of values) {
    const builder = createJsonBuilder();
    for (const group of cutJson(value)) {
      assert.ok(JSON.stringify(group).length < 2_000_000);
      builder.take(structuredClone(group));
    }
    assert.deepEqual(builder.value(), value);
  }
});

test('a large body is parsed in a thread as it would be here', async () => {
  const value = { pattern: 'summarize', input: 'line\n"quoted" é😀 '.repeat(200_000), tags: ['a', { b: null }] };
  assert.deepEqual(await workers.parse(bytesOf(value)), value);
  assert.deepEqual(await workers.parse(Buffer.from('[1]')), [1]);
});

test('a refusal comes back with its code and place, and the thread goes on', async () => {
  const body = Buffer.from(`{"input":"${'x'.repeat(300_000)}","a":{"b":1,"b":2}}`);
  await assert.rejects(
    workers.parse(body),
    (error: { code: string; details: { pointer: string }; message: string }) => {
      assert.deepEqual([error.code, error.details.pointer], ['invalid_request', '/a/b']);
      return error.message.includes('twice');
    },
  );
  const keys = bytesOf(Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i])));
  await assert.rejects(workers.parse(Buffer.from(keys)), /10000 keys/);
  assert.equal(Object.keys((await workers.parse(keys, { ...jsonLimits, maxKeys: 20_000 })) as object).length, 20_000);
});

test('bodies wait for their turn up to the bound of the queue', async () => {
  const few = createJsonWorkers({ size: 2, queue: 3 });
  try {
    const results = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => few.parse(bytesOf([i]))));
    const values = results.map((result) =>
      result.status === 'fulfilled' ? (result.value as number[])[0] : result.reason.code,
    );
    assert.deepEqual(values, [0, 1, 2, 3, 4, 'overloaded', 'overloaded', 'overloaded']);
  } finally {
    await few.close();
  }
});

test('closing rejects what waits, and nothing is taken afterwards', async () => {
  const short = createJsonWorkers({ size: 1 });
  const pending = [short.parse(bytesOf(['x'.repeat(5_000_000)])), short.parse(bytesOf([2]))];
  const settled = Promise.allSettled(pending);
  await short.close();
  for (const result of await settled) assert.equal(result.status === 'rejected' && result.reason.code, 'unavailable');
  await assert.rejects(short.parse(bytesOf([3])), { code: 'unavailable' });
});

test('32 MiB of empty arrays do not exhaust the memory of the thread', async () => {
  await assert.rejects(workers.parse(Buffer.from(`[${'[],'.repeat(11_000_000)}0]`)), /more than 250000 values/);
  assert.deepEqual(await workers.parse(Buffer.from('[7]')), [7]);
});

test('the thread of the caller is not held while a large body is parsed', async () => {
  const files = Array.from({ length: 600 }, (_, i) => ({
    path: `patterns/p${i}/system.md`,
    content: 'A line of text.\n'.repeat(3300),
  }));
  const bodies = [bytesOf({ input: 'A line of text.\n'.repeat(250_000) }), bytesOf({ files })];
  // CPU time of this thread, not the clock: other tests may keep the machine busy.
  const used = () => (process.threadCpuUsage().user + process.threadCpuUsage().system) / 1000;
  for (const body of bodies) {
    let longest = 0;
    let last = used();
    const ticks = setInterval(() => {
      const now = used();
      longest = Math.max(longest, now - last);
      last = now;
    }, 1);
    await workers.parse(body);
    clearInterval(ticks);
    assert.ok(longest < 40, `${longest} ms`);
  }
});
