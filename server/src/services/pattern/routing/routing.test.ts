import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ModelServer, type Script, startModelServer } from '#platform/testing/model-server.ts';
import { type Reply, startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
const closing: (() => Promise<unknown>)[] = [];

before(async () => {
  platform = await startTestPlatform({ environment: { DAMASK_EGRESS_ALLOW: '127.0.0.1' } });
  await platform.call('POST', '/v1/patterns', { name: 'plain', system: 'Answer.' });
});
after(async () => {
  await platform.stop();
  await Promise.all(closing.map((close) => close()));
});

let count = 0;

/** A provider of alpha with a script of its own. */
async function addProvider(script: Script, more: object = {}, offered?: () => readonly string[]) {
  const server: ModelServer = await startModelServer(script, offered);
  closing.push(() => server.close());
  const name = `p${++count}`;
  const put = await platform.call('PUT', `/v1/providers/${name}`, { base_url: server.url, api_key: 'sk-1', ...more });
  assert.equal(put.status, 200, put.text);
  return { name, server, model: `${name}/m` };
}

const run = (model: string, more: object = {}) =>
  platform.call('POST', '/v1/runs', { pattern: 'plain', input: 'x', model, ...more });
const stored = async (reply: Reply) =>
  (await platform.call('GET', `/v1/runs/${reply.body.id ?? reply.body.run_id}`)).body;
const healthOf = async (name: string) => {
  const { body } = await platform.call('GET', '/v1/providers/health');
  return body.items.find((item: { provider: string }) => item.provider === name);
};
const fail =
  (status: number, headers: Record<string, string> = {}): Script =>
  (_, answer) =>
    void answer.response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end('{"error":{"message":"no"}}');

test('F37: a repeat comes no sooner than the provider allows, whatever it writes for a time', async () => {
  const cases = [
    ['2', 2_000],
    ['0', 500],
    ['Wed, 21 Oct 2015 07:28:00 GMT', 500],
    ['abc', 500],
    [undefined, 500],
  ] as const;
  const check = async ([written, least]: (typeof cases)[number]) => {
    const times: number[] = [];
    const { model, server } = await addProvider((call, answer) => {
      times.push(performance.now());
      if (call.number > 1) answer.say('ok');
      else void fail(429, written === undefined ? {} : { 'retry-after': written })(call, answer);
    });
    const reply = await run(model);
    assert.equal(reply.status, 200, `${written}: ${reply.text}`);
    assert.equal(server.calls.length, 2);
    // The machine's timers may be a millisecond early.
    assert.ok((times[1] as number) - (times[0] as number) >= least - 2, `${written}: ${times}`);
    assert.deepEqual(
      (await stored(reply)).attempts.map(({ number, outcome, code }: Record<string, unknown>) => [
        number,
        outcome,
        code,
      ]),
      [
        [1, 'failed', 'provider_busy'],
        [2, 'succeeded', null],
      ],
    );
  };
  await Promise.all(cases.map(check));
});

test('F37: a wait that nobody can wait for is told to the caller, with one call', async () => {
  const { model, server } = await addProvider(fail(429, { 'retry-after': '99999999' }));
  const reply = await run(model);
  assert.equal(reply.status, 503);
  assert.equal(reply.body.code, 'provider_busy');
  assert.equal(reply.headers.get('retry-after'), '60');
  assert.equal(server.calls.length, 1);
});

test('F38: a storm of failures reaches the provider twenty times at most, with a tenth of repeats, and is seen', async () => {
  const { name, model, server } = await addProvider(fail(500));
  const replies: Reply[] = [];
  for (let i = 0; i < 60; i++) replies.push(await run(model));
  assert.ok(server.calls.length <= 20, `${server.calls.length} calls`);
  const repeats = server.calls.length - replies.filter(({ body }) => body.code === 'provider_error').length;
  assert.ok(repeats <= 3, `${repeats} repeats`);
  const last = replies.at(-1) as Reply;
  assert.deepEqual([last.status, last.body.code], [503, 'provider_busy']);
  assert.ok(Number(last.headers.get('retry-after')) >= 1);
  assert.deepEqual((await stored(last)).attempts, []);
  const health = await healthOf(name);
  assert.deepEqual([health.state, health.failures, health.key_refused], ['open', server.calls.length, false]);
  assert.equal(health.last_error.code, 'provider_error');
});

test('F38: only models that somebody listed are gone to instead', async () => {
  const broken = await addProvider(fail(503));
  const other = await addProvider((_, answer) => answer.say('from the other'));
  assert.equal((await run(broken.model)).status, 503);
  assert.equal(other.server.calls.length, 0);
  const yaml = `model: ${broken.model}\nfallbacks: [${other.model}]\n`;
  const made = await platform.call('POST', '/v1/patterns', {
    name: 'with_fallback',
    files: [
      { path: 'system.md', content: 'Answer.' },
      { path: 'pattern.yaml', content: yaml },
    ],
  });
  assert.equal(made.status, 201, made.text);
  const reply = await platform.call('POST', '/v1/runs', { pattern: 'with_fallback', input: 'x' });
  assert.deepEqual([reply.status, reply.body.output, reply.body.model], [200, 'from the other', other.model]);
  assert.equal(reply.body.attempts.at(-1).model, other.model);
  await platform.call('PUT', `/v1/providers/${broken.name}`, { base_url: broken.server.url, fallbacks: [other.model] });
  assert.equal((await run(broken.model)).body.output, 'from the other');
});

test('F43: a key that is refused stops the calls, is shown, and costs one line of log', async () => {
  const { name, model, server } = await addProvider(fail(401));
  const replies = await Promise.all(Array.from({ length: 5 }, () => run(model)));
  for (let i = 0; i < 40; i++) replies.push(await run(model));
  for (const { status, body } of replies) assert.deepEqual([status, body.code], [502, 'provider_auth']);
  assert.ok(server.calls.length <= 5, `${server.calls.length} calls`);
  assert.equal((await healthOf(name)).key_refused, true);
  const lines = platform.logged.filter(({ provider, level }) => provider === name && level === 'error');
  assert.equal(lines.length, 1);
  await platform.call('PUT', `/v1/providers/${name}`, { base_url: server.url, api_key: 'sk-2' });
  await run(model);
  assert.equal(server.calls.at(-1)?.authorization, 'Bearer sk-2', 'a new key is tried at once');
});

test('F42: usage that is missing, zero or absurd costs an unknown sum, never 0, and is flagged', async () => {
  const prices = { models: [{ id: 'm', input_price: 1_000_000, output_price: 2_000_000, context_window: 1_000 }] };
  for (const [usage, flag, cost] of [
    [undefined, 'usage_missing', null],
    [{ prompt_tokens: 0, completion_tokens: 0 }, 'usage_missing', null],
    [{ prompt_tokens: -5, completion_tokens: 3 }, 'usage_missing', null],
    [{ prompt_tokens: 10, completion_tokens: 9_000_000 }, 'usage_absurd', null],
    [{ prompt_tokens: 10, completion_tokens: 3 }, null, 16],
  ] as const) {
    const { model } = await addProvider((_, answer) => answer.say('text', { usage: usage ?? null }), prices);
    const { body } = await run(model);
    assert.deepEqual(
      [body.status, body.attempts[0].code, body.cost_micros],
      ['succeeded', flag, cost],
      JSON.stringify(usage),
    );
  }
});

test('a limit of one at a time holds, and who waits is served in turn', async () => {
  let at = 0;
  let most = 0;
  const { model } = await addProvider(
    async (_, answer) => {
      most = Math.max(most, ++at);
      await new Promise((resolve) => setTimeout(resolve, 5));
      at -= 1;
      answer.say('ok');
    },
    { limits: { concurrency: 1 } },
  );
  const replies = await Promise.all(Array.from({ length: 10 }, () => run(model)));
  assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([200]));
  assert.equal(most, 1);
});

test('weights share the runs among the models of a version', async () => {
  const a = await addProvider((_, answer) => answer.say('a'));
  const b = await addProvider((_, answer) => answer.say('b'));
  const yaml = `model: [{name: ${a.model}, weight: 3}, {name: ${b.model}, weight: 1}]\n`;
  await platform.call('POST', '/v1/patterns', {
    name: 'weighted',
    files: [
      { path: 'system.md', content: 'Answer.' },
      { path: 'pattern.yaml', content: yaml },
    ],
  });
  await Promise.all(
    Array.from({ length: 80 }, () => platform.call('POST', '/v1/runs', { pattern: 'weighted', input: 'x' })),
  );
  const share = a.server.calls.length / 80;
  assert.ok(share > 0.5 && share < 0.95, `${share}`);
  assert.equal(a.server.calls.length + b.server.calls.length, 80);
});

test('a provider is tested with one call; what it has is listed, and what is wrong is told', async () => {
  const names = ['m-large', 'text-embedding-3', 'm-small'];
  const good = await addProvider(
    (_, answer) => answer.say('ok'),
    {},
    () => names,
  );
  const { body: models } = await platform.call('GET', '/v1/models');
  const listed = models.items.filter((model: { provider: string }) => model.provider === good.name);
  assert.deepEqual(
    listed.map((model: { name: string; input_price: null }) => [model.name, model.input_price]),
    [
      [`${good.name}/m-large`, null],
      [`${good.name}/m-small`, null],
    ],
  );
  const fine = await platform.call('POST', `/v1/providers/${good.name}/test`, {});
  assert.deepEqual([fine.body.ok, fine.body.model, fine.body.offered], [true, `${good.name}/m-large`, 3]);
  assert.equal(good.server.calls.length, 1);
  assert.ok(Number(good.server.calls[0]?.body.max_tokens) <= 16);
  const bad = await addProvider(fail(401));
  const told = await platform.call('POST', `/v1/providers/${bad.name}/test`, { model: 'm' });
  assert.deepEqual([told.status, told.body.ok, told.body.error.code], [200, false, 'provider_auth']);
  assert.match(told.body.error.detail, /valid/);
  assert.doesNotMatch(told.text, /sk-1/);
  const silent = await platform.call('POST', `/v1/providers/${bad.name}/test`, {});
  assert.deepEqual([silent.status, silent.body.code], [503, 'no_model']);
  const audit = await platform.floor.database.transaction(
    { role: 'pattern', workspace: platform.alpha.id },
    (transaction) =>
      transaction.query<{ subject: string }>("select subject from pattern.audit where action = 'testProvider'"),
  );
  assert.ok(audit.some(({ subject }) => subject === `provider/${good.name}`));
});

test('what one workspace makes a provider suffer is not seen or felt by another', async () => {
  const { name, server } = await addProvider(fail(500));
  for (let i = 0; i < 25; i++) await run(`${name}/m`);
  const key = platform.beta.ownerKey;
  await platform.call('PUT', `/v1/providers/${name}`, { base_url: server.url, models: [{ id: 'm' }] }, { key });
  await platform.call('POST', '/v1/patterns', { name: 'plain', system: 'Answer.' }, { key });
  const { body } = await platform.call('GET', '/v1/providers/health', undefined, { key });
  assert.deepEqual([body.items[0].state, body.items[0].calls, body.items[0].last_error], ['closed', 0, null]);
  const before = server.calls.length;
  await platform.call('POST', '/v1/runs', { pattern: 'plain', input: 'x', model: `${name}/m` }, { key });
  assert.ok(server.calls.length > before);
});
