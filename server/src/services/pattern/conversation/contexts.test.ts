import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { type ModelServer, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let model: ModelServer;
let pool: pg.Pool;

before(async () => {
  model = await startModelServer();
  platform = await startTestPlatform({ modelUrl: model.url });
  pool = new pg.Pool({ ...platform.connection, max: 1 });
  await platform.call('POST', '/v1/patterns', { name: 'greet', system: '\nGreet {{name}}.\n' });
  await platform.call('POST', '/v1/patterns', { name: 'inline', system: 'Say {{input}} twice.' });
  await platform.call('PUT', '/v1/strategies/calm', { prompt: 'Be calm.\n' });
});
after(async () => {
  await pool.end();
  await platform.stop();
  await model.close();
});

const put = (name: string, content: string) => platform.call('PUT', `/v1/contexts/${name}`, { content });
const run = (fields: object = {}) =>
  platform.call('POST', '/v1/runs', {
    pattern: 'greet',
    input: 'now',
    variables: { name: 'Ada' },
    model: 'openai/test',
    ...fields,
  });
const leftBy = async (requestId: string | null) => {
  const { rows: audit } = await pool.query('select action, subject, details from pattern.audit where request_id = $1', [
    requestId,
  ]);
  const { rows: events } = await pool.query('select name, data from pattern.outbox where request_id = $1', [requestId]);
  return { audit, events };
};

test('a context is put, read, listed and deleted, and each change leaves its trace', async () => {
  const made = await put('company', 'We sell lamps.\n');
  assert.equal(made.status, 200, made.text);
  assert.equal(made.body.bytes, 15);
  assert.equal('content' in made.body, false);
  assert.deepEqual(await leftBy(made.headers.get('x-request-id')), {
    audit: [{ action: 'putContext', subject: 'context/company', details: { bytes: 15 } }],
    events: [{ name: 'pattern.context-put', data: { context: 'company' } }],
  });
  const read = await platform.call('GET', '/v1/contexts/company');
  assert.deepEqual(read.body, { ...made.body, content: 'We sell lamps.\n' });

  const again = await put('company', 'We sell lamps.\n');
  assert.deepEqual(again.body, made.body);
  assert.deepEqual(await leftBy(again.headers.get('x-request-id')), { audit: [], events: [] });

  await put('other', '');
  const page = await platform.call('GET', '/v1/contexts?limit=1');
  assert.deepEqual(page.body.items, [made.body]);
  const next = await platform.call('GET', `/v1/contexts?limit=1&cursor=${page.body.next}`);
  assert.deepEqual(
    next.body.items.map(({ name }: { name: string }) => name),
    ['other'],
  );
  const deleted = await platform.call('DELETE', '/v1/contexts/other');
  assert.equal(deleted.status, 200);
  assert.deepEqual((await leftBy(deleted.headers.get('x-request-id'))).events, [
    { name: 'pattern.context-deleted', data: { context: 'other' } },
  ]);
  assert.equal((await platform.call('GET', '/v1/contexts/other')).status, 404);
  assert.equal((await platform.call('DELETE', '/v1/contexts/other')).status, 404);
});

test('who may only run reads contexts and changes none', async () => {
  const key = await platform.keyFor('runner');
  assert.equal((await platform.call('GET', '/v1/contexts/company', undefined, { key })).status, 200);
  const refused = await platform.call('PUT', '/v1/contexts/company', { content: 'x' }, { key });
  assert.deepEqual([refused.status, refused.body.need], [403, 'context:write']);
  assert.equal((await platform.call('DELETE', '/v1/contexts/company', undefined, { key })).status, 403);
});

test('a context has at most 1 MiB of UTF-8', async () => {
  const most = 'ü'.repeat(512 * 1024);
  assert.equal((await put('large', most)).body.bytes, 1024 * 1024);
  assert.equal((await platform.call('GET', '/v1/contexts/large')).body.content, most);
  const more = await put('large', `${most}x`);
  assert.equal(`${more.status} ${more.body.code} ${more.body.pointer}`, '400 invalid_request /content');
  assert.equal((await platform.call('DELETE', '/v1/contexts/large')).status, 200);
});

test('the text lies in the database sealed only, and nowhere in audit or events', async () => {
  await put('secret', 'The heron flies at noon.');
  for (const table of ['pattern.context', 'pattern.audit', 'pattern.outbox']) {
    const { rows } = await pool.query(`select t::text as row from ${table} as t`);
    assert.ok(rows.length > 0);
    assert.equal(
      rows.some(({ row }) => row.includes('heron') || row.includes(Buffer.from('heron').toString('hex'))),
      false,
      table,
    );
  }
});

test('a run puts strategy, context and pattern into one system message, in this order, one line break apart', async () => {
  await put('company', '\n  We sell lamps.\nMany of them.  \n\n');
  const { status, body } = await run({ strategy: 'calm', context: 'company' });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.context, 'company');
  assert.deepEqual(model.calls.at(-1)?.messages, [
    { role: 'system', content: 'Be calm.\nWe sell lamps.\nMany of them.\nGreet Ada.' },
    { role: 'user', content: 'now' },
  ]);
  const { body: list } = await platform.call('GET', '/v1/runs?limit=1');
  assert.equal(list.items[0].context, 'company');
  await put('blank', ' \n ');
  await run({ context: 'blank' });
  assert.equal(model.calls.at(-1)?.messages[0]?.content, 'Greet Ada.');
  await run({ pattern: 'inline', variables: {}, context: 'company' });
  assert.deepEqual(model.calls.at(-1)?.messages, [
    { role: 'system', content: 'We sell lamps.\nMany of them.' },
    { role: 'user', content: 'Say now twice.' },
  ]);
});

test('a context is never expanded', async () => {
  const text = '{{name}} {{input}} {{plugin:datetime:now}} {{plugin:file:read:/etc/passwd}} <%= 1 %> {% raw %}';
  await put('tokens', text);
  await run({ context: 'tokens' });
  assert.equal(model.calls.at(-1)?.messages[0]?.content, `${text}\nGreet Ada.`);
});

test('a changed context counts at once, a deleted one is not found, and neither is another workspace’s', async () => {
  for (const content of ['One.', 'Two.', 'Three.']) {
    await put('moving', content);
    await run({ context: 'moving' });
    assert.equal(model.calls.at(-1)?.messages[0]?.content, `${content}\nGreet Ada.`);
  }
  const calls = model.calls.length;
  await platform.call('DELETE', '/v1/contexts/moving');
  const gone = await run({ context: 'moving' });
  assert.equal(`${gone.status} ${gone.body.code} ${gone.body.pointer}`, '404 not_found /context');
  const key = platform.beta.ownerKey;
  await platform.call('POST', '/v1/patterns', { name: 'greet', system: 'Greet.' }, { key });
  const foreign = await platform.call(
    'POST',
    '/v1/render',
    { pattern: 'greet', input: 'x', context: 'company' },
    { key },
  );
  const unknown = await platform.call(
    'POST',
    '/v1/render',
    { pattern: 'greet', input: 'x', context: 'nobodys' },
    { key },
  );
  assert.equal(foreign.status, 404);
  assert.equal(foreign.body.detail, unknown.body.detail);
  assert.equal(model.calls.length, calls);
});

test('the answer’s language is asked for in the system message, except for English', async () => {
  const systemOf = async (fields: object) => {
    const { status, body } = await platform.call('POST', '/v1/render', {
      pattern: 'greet',
      input: 'x',
      variables: { name: 'Ada' },
      ...fields,
    });
    assert.equal(status, 200, JSON.stringify(body));
    return body.messages[0].content as string;
  };
  assert.match(await systemOf({ language: 'de' }), /^Greet Ada\.\nWrite the whole answer in German \(de\)/);
  assert.match(await systemOf({ language: 'pt-br' }), /Brazilian Portuguese \(pt-BR\)/);
  assert.match(await systemOf({ language: 'en-GB' }), /British English/);
  assert.equal(await systemOf({ language: 'EN' }), 'Greet Ada.');
  const files = [
    { path: 'system.md', content: 'Greet.' },
    { path: 'pattern.yaml', content: 'language: fr\n' },
  ];
  await platform.call('POST', '/v1/patterns', { name: 'french', files });
  assert.match(await systemOf({ pattern: 'french', variables: {} }), /French \(fr\)/);
  assert.equal(await systemOf({ pattern: 'french', variables: {}, language: 'en' }), 'Greet.');
  for (const language of ['x', 'de_DE', 'german please', 'aa-bb-cc-dd', '']) {
    const { status, body } = await platform.call('POST', '/v1/render', { pattern: 'french', input: 'x', language });
    assert.equal(`${status} ${body.pointer}`, '400 /language', language);
  }
});
