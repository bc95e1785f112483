import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readServerSentEvents, type ServerSentEvent } from './server-sent-events.ts';

const text = [
  '\uFEFF: a comment\n',
  'id: 4\nevent: output.delta\ndata: {"text":"Grüße 👋"}\n\n',
  ': heartbeat\r\n\r\n',
  'event: two\r\ndata: first\r\ndata: second\r\n\r\n',
  'data:no space\rid\r\r',
  'data\n\n',
  'event: nothing\n\n',
  'id: a\0b\nretry: 5\nunknown: x\ndata:  two spaces\n\n',
  'data: never finished\n',
].join('');
const expected: ServerSentEvent[] = [
  { event: 'output.delta', data: '{"text":"Grüße 👋"}', id: '4' },
  { event: 'two', data: 'first\nsecond', id: '4' },
  { event: 'message', data: 'no space', id: '' },
  { event: 'message', data: '', id: '' },
  { event: 'message', data: ' two spaces', id: '' },
];

async function read(chunks: readonly Uint8Array[]): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  for await (const event of readServerSentEvents(ReadableStream.from(chunks))) events.push(event);
  return events;
}

test('a stream reads the same however its bytes are cut', async () => {
  const bytes = new TextEncoder().encode(text);
  assert.deepEqual(await read([bytes]), expected);
  assert.deepEqual(await read([...bytes].map((byte) => Uint8Array.of(byte))), expected);
  for (let cut = 0; cut <= bytes.length; cut++) {
    assert.deepEqual(await read([bytes.subarray(0, cut), bytes.subarray(cut)]), expected, `cut at ${cut}`);
  }
});

test('an async iterable of bytes does as well as a web stream', async () => {
  async function* bytes() {
    yield new TextEncoder().encode('data: one\n');
    yield new TextEncoder().encode('\ndata: two\n\n');
  }
  const events: string[] = [];
  for await (const { data } of readServerSentEvents(bytes())) events.push(data);
  assert.deepEqual(events, ['one', 'two']);
});

test('leaving the loop cancels the stream', async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode('data: more\n\n')),
    cancel: () => {
      cancelled = true;
    },
  });
  for await (const { data } of readServerSentEvents(body)) {
    assert.equal(data, 'more');
    break;
  }
  assert.ok(cancelled);
});

test('a line of 4 MB in small pieces is read in linear time', async () => {
  const piece = new TextEncoder().encode('x'.repeat(1024));
  async function* bytes() {
    yield new TextEncoder().encode('data: ');
    for (let i = 0; i < 4096; i++) yield piece;
    yield new TextEncoder().encode('\n\n');
  }
  const started = performance.now();
  const events: ServerSentEvent[] = [];
  for await (const event of readServerSentEvents(bytes())) events.push(event);
  assert.equal(events[0]?.data.length, 4 * 1024 * 1024);
  assert.ok(performance.now() - started < 2_000, 'took too long');
});
