import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { withConnection } from '#platform/database/own-connection.ts';
import { type ModelServer, type Script, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';
import { dumpTables } from './dump-for-tests.ts';

let platform: TestPlatform;
let model: ModelServer;
let script: Script | undefined;
const echo: Script = ({ messages }, answer) => answer.say(`Said: ${messages.at(-1)?.content}`);

before(async () => {
  model = await startModelServer((call, answer) => (script ?? echo)(call, answer));
  platform = await startTestPlatform({ modelUrl: model.url });
  await publish('plain', '');
  await publish('letter', 'data_class: confidential\nvariables:\n  patient: {data_class: personal, required: false}\n');
  await publish('quiet', 'store: none\n');
});
afterEach(() => {
  script = undefined;
});
after(async () => {
  await platform.stop();
  await model.close();
});

async function publish(name: string, yaml: string) {
  const files = [
    { path: 'system.md', content: 'Say it.' },
    { path: 'pattern.yaml', content: `model: openai/test\n${yaml}` },
  ];
  const made = await platform.call('POST', '/v1/patterns', { name, files });
  assert.equal(made.status, 201, made.text);
}
const run = (pattern: string, fields: object = {}) =>
  platform.call('POST', '/v1/runs', { pattern, input: 'now', ...fields });
const read = async (path: string) => (await platform.call('GET', path)).body;

async function results(batch: string, query = ''): Promise<string> {
  const headers = { authorization: `Bearer ${platform.alpha.ownerKey}` };
  return (await fetch(`${platform.url}/v1/batches/${batch}/results${query}`, { headers })).text();
}

async function ended(path: string) {
  for (let tries = 0; tries < 400; tries++) {
    const found = await read(path);
    if (found.finished_at !== null) return found;
    await systemClock.sleep(25);
  }
  throw new Error(`${path} did not end`);
}

test('a run has the highest class of its pattern, the variables that it is given, and what the workspace demands', async () => {
  const classOf = async (pattern: string, fields?: object) => {
    const { body } = await run(pattern, fields);
    assert.equal((await read(`/v1/runs/${body.id}`)).data_class, body.data_class);
    return body.data_class;
  };
  assert.equal(await classOf('plain'), 'internal');
  assert.equal(await classOf('letter'), 'confidential');
  assert.equal(await classOf('letter', { variables: { patient: 'Ada' } }), 'personal');
  const queued = await run('letter', { variables: { patient: 'Ada' }, mode: 'async' });
  assert.equal((await ended(`/v1/runs/${queued.body.id}`)).data_class, 'personal');
  const put = await platform.call('PUT', '/v1/retention', { least_class: 'confidential', rules: [] });
  assert.equal(put.status, 200, put.text);
  assert.equal(await classOf('plain'), 'confidential');
  const batch = await platform.call('POST', '/v1/batches', { pattern: 'plain', items: [{ input: 'a' }] });
  assert.equal(batch.body.data_class, 'confidential');
  // Its line must not meet what a later test has the model say.
  await ended(`/v1/batches/${batch.body.id}`);
  await platform.call('PUT', '/v1/retention', { rules: [] });
  assert.equal(await classOf('plain'), 'internal');
});

test('a chain has the highest class of the patterns that it leads to', async () => {
  const files = [{ path: 'pattern.yaml', content: 'steps:\n  one: {pattern: letter}\noutput: $steps.one.output\n' }];
  const made = await platform.call('POST', '/v1/patterns', { name: 'post', files });
  assert.equal(made.status, 201, made.text);
  assert.equal((await run('post')).body.data_class, 'confidential');
});

test('a pattern that stores no texts leaves none anywhere, and its record says why', async () => {
  const answer = await run('quiet', { input: 'CANARY-sync', subject: 'mia' });
  assert.equal(answer.body.output, 'Said: CANARY-sync');
  const streamed = await run('quiet', { input: 'CANARY-streamed', stream: true });
  assert.match(streamed.text, /CANARY-streamed/);
  script = (_, { response }) => {
    response.writeHead(400).end('{"error": {"message": "CANARY-echoed is wrong"}}');
  };
  const failed = await run('quiet', { input: 'CANARY-failed' });
  assert.ok(failed.status >= 400);
  script = undefined;
  const keyed = { pattern: 'quiet', input: 'CANARY-keyed' };
  const headers = { 'idempotency-key': 'once' };
  await platform.call('POST', '/v1/runs', keyed, { headers });
  const again = await platform.call('POST', '/v1/runs', keyed, { headers });
  assert.deepEqual([again.body.replayed, again.body.output, again.body.texts], [true, null, 'not_stored']);

  const record = await read(`/v1/runs/${answer.body.id}`);
  assert.deepEqual([record.texts, record.input, record.output, record.status], ['not_stored', null, null, 'succeeded']);
  assert.equal(record.usage.output_tokens, 7);
  const found = await platform.call('GET', '/v1/runs?subject=mia');
  assert.deepEqual(
    found.body.items.map(({ id }: { id: string }) => id),
    [record.id],
  );
  const rerun = await platform.call('POST', `/v1/runs/${record.id}/rerun`, {});
  assert.deepEqual([rerun.status, rerun.body.code], [409, 'payload_gone']);
  assert.deepEqual((await dumpTables(platform)).find('CANARY'), []);
});

test('what is queued of it is kept sealed until it ends, and then gone', async () => {
  const gate = Promise.withResolvers<void>();
  script = async (call, answer) => {
    await gate.promise;
    await echo(call, answer);
  };
  const queued = await run('quiet', { input: 'CANARY-queued', mode: 'async' });
  const items = [{ input: 'CANARY-line1' }, { input: 'CANARY-line2' }];
  const batch = await platform.call('POST', '/v1/batches', { pattern: 'quiet', items });
  assert.equal(batch.status, 202, batch.text);
  const before = await dumpTables(platform);
  assert.deepEqual(before.find('CANARY-queued'), ['pattern.task']);
  assert.ok(before.find('CANARY-line1').includes('pattern.batch_chunk'));
  gate.resolve();
  const end = await ended(`/v1/runs/${queued.body.id}`);
  assert.deepEqual([end.status, end.texts, end.output], ['succeeded', 'not_stored', null]);
  await ended(`/v1/batches/${batch.body.id}`);
  const lines = (await results(batch.body.id))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ status, output, texts }) => [status, output, texts]),
    [
      ['succeeded', null, 'not_stored'],
      ['succeeded', null, 'not_stored'],
    ],
  );
  assert.match(await results(batch.body.id, '?format=csv'), /not_stored/);
  const after = await dumpTables(platform);
  assert.deepEqual([after.find('CANARY'), after.unreadable], [[], []]);
});

test('what is redacted is so before anything is decided of storing it and of its key', async () => {
  const rules = 'redact: {kinds: [email]}\n';
  await publish('careful', `data_class: personal\n${rules}`);
  await publish('silent', `store: none\n${rules}`);
  const input = 'CANARY of ada@example.org';
  for (const mode of ['sync', 'async']) {
    const { body } = await run('careful', { input, subject: 'ada', mode });
    const kept = await ended(`/v1/runs/${body.id}`);
    assert.deepEqual([kept.input, kept.output], ['CANARY of [email]', 'Said: CANARY of [email]'], mode);
    assert.deepEqual([kept.data_class, kept.redacted, kept.texts], ['personal', { email: 2 }, undefined]);
  }
  script = (_, { response }) => {
    response.writeHead(400).end('{"error": {"message": "ada@example.org is wrong"}}');
  };
  const failed = await run('silent', { input });
  assert.match(failed.body.detail, /\[email\] is wrong/);
  script = undefined;
  for (const mode of ['sync', 'async']) {
    const { body } = await run('silent', { input, mode });
    const record = await ended(`/v1/runs/${body.id}`);
    assert.deepEqual([record.texts, record.input, record.redacted], ['not_stored', null, undefined], mode);
  }
  const { connection } = platform;
  await withConnection(connection, (client) => client.query('delete from pattern.subject_key'));
  const dump = await dumpTables(platform);
  assert.deepEqual([dump.find('CANARY'), dump.find('ada@example.org')], [[], []]);
  // Of the two that have a key of their own.
  assert.equal(dump.unreadable.filter((place) => place === 'pattern.finished payload').length, 2);
});

test('what would have to keep its texts is refused', async () => {
  const session = await run('quiet', { session: 'talk' });
  assert.deepEqual([session.status, session.body.code, session.body.pointer], [422, 'policy_refused', '/session']);
  const wrong = async (yaml: string) => {
    const files = [{ path: 'pattern.yaml', content: yaml }];
    const system = yaml.includes('steps') ? [] : [{ path: 'system.md', content: 'Say it.' }];
    const made = await platform.call('POST', '/v1/patterns', { name: 'wrong', files: [...files, ...system] });
    assert.equal(made.status, 422, made.text);
    return JSON.stringify(made.body);
  };
  assert.match(
    await wrong('store: none\ncache: {ttl_seconds: 60}\n'),
    /cache keeps answers and store: none keeps nothing/,
  );
  assert.match(await wrong('store: some\n'), /all, none/);
  assert.match(await wrong('steps:\n  one: {pattern: quiet}\noutput: $steps.one.output\n'), /quiet says store: none/);
  assert.match(
    await wrong('store: none\nsteps:\n  one: {pattern: plain}\noutput: $steps.one.output\n'),
    /not for a chain/,
  );
});

test('a name in metadata.subject is taken for the subject, and stands in no column', async () => {
  const { body } = await run('plain', { metadata: { subject: 'grace@example.org', ticket: '7' } });
  assert.deepEqual([body.metadata, body.subject], [{ ticket: '7' }, 'grace@example.org']);
  const found = await platform.call('GET', '/v1/runs?subject=grace@example.org');
  assert.equal(found.body.items.length, 1);
  const named = await platform.call('GET', '/v1/runs?metadata=subject=grace@example.org&metadata=ticket=7');
  assert.equal(named.body.items.length, 1, named.text);
  assert.deepEqual((await dumpTables(platform)).find('grace@example.org'), ['pattern.finished']);
  const two = await run('plain', { metadata: { subject: 'a' }, subject: 'b' });
  assert.deepEqual([two.status, two.body.pointer], [400, '/metadata/subject']);
  const batch = { pattern: 'plain', items: [{ input: 'a' }], metadata: { subject: 'a' } };
  assert.equal((await platform.call('POST', '/v1/batches', batch)).body.pointer, '/metadata/subject');
});
