import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { readConfig } from '../../server/src/config.ts';
import { createHttpClient } from '../http-client.ts';
import { titleOf } from '../sample-input.ts';
import { type HostilePlatform, startHostilePlatform } from './hostile-platform.ts';

// Faults of Fabric, as its source has them; each has one test here that is named after it.

let hostile: HostilePlatform;
before(async () => {
  hostile = await startHostilePlatform();
});
after(() => hostile.stop());

const secretOfMachine = readFileSync('/etc/hosts', 'utf8').trim();
const paths = [
  ...['/etc/hosts', '~/.ssh/id_rsa', '~', '.', '..', './system.md', '../../../etc/hosts', '\\etc\\hosts', '.env'],
  ...['..%2f..%2fetc%2fhosts', 'file:///etc/hosts', 'C:\\x', 'greet/../../etc/hosts', 'greet\0', ' /etc/hosts', ''],
];
const run = { pattern: 'plain', input: 'x', model: 'openai/test' };
const post = (path: string, body: object) => hostile.send('POST', path, { body });

test('(a) a pattern name that is a path reads no file', async () => {
  await hostile.leavesNothing(async () => {
    for (const name of paths) {
      for (const path of ['/v1/runs', '/v1/render']) {
        const reply = await post(path, { ...run, pattern: name });
        assert.equal(`${reply.status} ${reply.body.code} ${reply.body.pointer}`, '400 invalid_request /pattern', name);
        assert.equal(reply.text.includes(secretOfMachine), false);
      }
      const made = await post('/v1/patterns', { name, system: 'x' });
      assert.equal(`${made.status} ${made.body.pointer}`, '400 /name', name);
      if (name === '' || name.includes('\0')) continue;
      const read = await hostile.send('GET', `/v1/patterns/${encodeURIComponent(name)}`);
      assert.ok([400, 404].includes(read.status), `${name}: ${read.status}`);
      assert.equal(read.text.includes(secretOfMachine), false);
    }
  });
});

test('(b) names of contexts, sessions and strategies with ".." go nowhere', async () => {
  await hostile.leavesNothing(async () => {
    for (const name of paths) {
      for (const field of ['context', 'session', 'strategy']) {
        for (const path of ['/v1/runs', '/v1/render']) {
          const reply = await post(path, { ...run, [field]: name });
          assert.equal(`${reply.status} ${reply.body.pointer}`, `400 /${field}`, `${field} ${name}`);
        }
        if (name === '' || name.includes('\0')) continue;
        const address = `/v1/${field === 'strategy' ? 'strategies' : `${field}s`}/${encodeURIComponent(name)}`;
        const contents = { context: { content: 'x' }, session: { turns: [] }, strategy: { prompt: 'x' } };
        const put = await hostile.send('PUT', address, { body: contents[field as keyof typeof contents] });
        const others = [await hostile.send('GET', address), await hostile.send('DELETE', address)];
        for (const { status, text } of [put, ...others]) {
          assert.ok([400, 404, 405].includes(status), `${address}: ${status}`);
          assert.equal(text.includes(secretOfMachine), false);
        }
      }
      const attachments = [{ type: 'text', name, text: 'x' }];
      if (['.env', '..%2f..%2fetc%2fhosts'].includes(name) || !/^[\w]/.test(name)) {
        assert.equal((await post('/v1/runs', { ...run, attachments })).status, 400, name);
      }
    }
  });
});

test('(c) plugins for files, the system and fetching run neither from saved patterns nor from values', async () => {
  let fetched = 0;
  const sink = createServer((_, response) => {
    fetched += 1;
    response.end('fetched');
  });
  await new Promise<void>((listening) => sink.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(sink.address() as AddressInfo).port}/x`;
  const tokens = [
    ...['{{plugin:file:read:/etc/hosts}}', '{{plugin:file:tail:/etc/hosts|5}}', '{{plugin:sys:env:PATH}}'],
    ...['{{plugin:sys:hostname}}', '{{plugin:sys:home}}', `{{plugin:fetch:get:${url}}}`, '{{ext:shell:run:id}}'],
  ];
  await post('/v1/patterns', { name: 'echo', system: 'Say {{word}} now.' });
  for (const [index, token] of tokens.entries()) {
    const pattern = `saved_${index}`;
    const made = await post('/v1/patterns', { name: pattern, system: `Look: ${token}` });
    assert.equal(made.status, 201, made.text);
    for (const path of ['/v1/runs', '/v1/render']) {
      const reply = await post(path, { ...run, pattern });
      assert.equal(`${reply.status} ${reply.body.code}`, '422 capability_disabled', token);
    }
    await hostile.send('PUT', '/v1/contexts/tokens', { body: { content: token } });
    await hostile.send('PUT', '/v1/strategies/tokens', { body: { prompt: token } });
    const extra = {
      context: 'tokens',
      strategy: 'tokens',
      attachments: [{ type: 'text', name: 'a.txt', text: token }],
    };
    const reply = await post('/v1/runs', {
      ...run,
      pattern: 'echo',
      input: token,
      variables: { word: token },
      ...extra,
    });
    assert.equal(reply.status, 200, reply.text);
    const [system, user] = hostile.model.calls.at(-1)?.messages ?? [];
    assert.equal(system?.content, `${token}\n${token}\nSay ${token} now.`);
    assert.ok(user?.content.startsWith(`${token}\n\n--- attachment 1 of 1`) && user.content.includes(`\n${token}\n`));
  }
  sink.close();
  assert.equal(fetched, 0);
});

test('(d) there is no mode without a key, and no address that gives or overwrites settings', async () => {
  const stranger = createHttpClient(hostile.url);
  for (const operation of hostile.operations) {
    const { path, body } = hostile.request(operation);
    const reply = await stranger.send(operation.method, path, { body });
    const open = operation.permission === 'public';
    // A sign-in that is refused is 401, too, and says so.
    assert.equal(reply.body?.code === 'unauthenticated', !open, `${titleOf(operation)}: ${reply.status}`);
  }
  for (const prefix of ['', '/api', '/v1']) {
    for (const [method, path] of [
      ...(['GET', 'POST', 'PUT'] as const).map((each) => [each, '/config'] as const),
      ...[['POST', '/config/update'] as const, ['POST', '/chat'] as const, ['GET', '/.env'] as const],
    ]) {
      const body = method === 'GET' ? undefined : { openai_api_key: 'sk-stolen' };
      for (const reply of [
        await hostile.send(method, `${prefix}${path}`, { body }),
        await stranger.send(method, `${prefix}${path}`, { body }),
      ]) {
        assert.equal(reply.status, 404, `${method} ${prefix}${path}`);
        assert.equal(reply.text.includes('sk-test-provider-key'), false);
      }
    }
  }
  stranger.close();
  await post('/v1/runs', run);
  assert.equal(hostile.model.calls.at(-1)?.authorization, 'Bearer sk-test-provider-key');
  const providers = await hostile.send('GET', '/v1/providers');
  assert.equal(providers.text.includes('sk-test'), false);
});

test('(e) a reply to the pattern create_coding_feature writes no file', async () => {
  const file = 'planted_by_model.txt';
  const reply =
    'Done.\n__CREATE_CODING_FEATURE_FILE_CHANGES__\n' +
    JSON.stringify([{ operation: 'create', path: file, content: 'planted' }]);
  await post('/v1/patterns', { name: 'create_coding_feature', system: 'Write code.' });
  hostile.script = (_, answer) => answer.say(reply);
  const made = await post('/v1/runs', { ...run, pattern: 'create_coding_feature' });
  hostile.script = undefined;
  assert.equal(made.body.output, reply);
  for (const folder of [process.cwd(), dirname(hostile.platform.config.storage.data_dir)]) {
    assert.equal(existsSync(join(folder, file)), false, folder);
  }
});

test('(f) by itself the server listens on loopback only, and asks for a key there, too', async () => {
  assert.equal(readConfig({ environment: { HOME: '/nowhere' } }).http.host, '127.0.0.1');
  assert.equal(new URL(hostile.url).hostname, '127.0.0.1');
  const stranger = createHttpClient(hostile.url);
  assert.equal((await stranger.send('GET', '/v1/patterns')).status, 401);
  stranger.close();
});

test('(g) bodies are bound, and so is guessing', async () => {
  await hostile.leavesNothing(async () => {
    const body = Buffer.alloc(4 * 1024 * 1024 + 1, ' ');
    const large = await hostile.send('POST', '/v1/runs', { body });
    assert.equal(`${large.status} ${large.body.code}`, '413 too_large');
    const context = await hostile.send('PUT', '/v1/contexts/large', { body });
    assert.equal(context.status, 413);
    const session = await hostile.send('PUT', '/v1/sessions/large', { body: Buffer.alloc(8 * 1024 * 1024 + 1, ' ') });
    assert.equal(session.status, 413);
  });
  const guesser = createHttpClient(hostile.url, { from: 77 });
  const key = `${hostile.key.slice(0, -6)}aaaaaa`;
  const statuses: number[] = [];
  for (let guess = 0; guess < 120; guess++) statuses.push((await guesser.send('GET', '/v1/me', { key })).status);
  const { headers } = await guesser.send('GET', '/v1/me', { key });
  guesser.close();
  assert.deepEqual([...new Set(statuses)], [401, 429]);
  assert.ok(headers.some(([name]) => name === 'retry-after'));
});
