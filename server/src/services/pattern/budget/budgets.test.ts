import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { type ModelServer, type Script, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let server: ModelServer;
const usage = { prompt_tokens: 10, completion_tokens: 5 };
const standard: Script = (_, answer) => answer.say('Fine.', { usage });
let script: Script = standard;
// A token costs one micro-unit, in and out.
const price = { input_price: 1_000_000, output_price: 1_000_000 };

before(async () => {
  server = await startModelServer((call, answer) => script(call, answer));
  platform = await startTestPlatform({ environment: { DAMASK_EGRESS_ALLOW: '127.0.0.1' } });
  const models = [{ id: 'small', ...price }, { id: 'unpriced' }];
  const put = await platform.call('PUT', '/v1/providers/lab', { base_url: server.url, models });
  assert.equal(put.status, 200, put.text);
  for (const name of ['greet', 'shout']) {
    const { status, text } = await platform.call('POST', '/v1/patterns', {
      name,
      files: [
        { path: 'system.md', content: 'Greet.' },
        { path: 'pattern.yaml', content: 'model: lab/small\nparameters:\n  max_tokens: 100\n' },
      ],
    });
    assert.equal(status, 201, text);
  }
});
beforeEach(async () => {
  script = standard;
  const { body } = await platform.call('GET', '/v1/budgets');
  for (const { name } of body.items) await platform.call('DELETE', `/v1/budgets/${name}`);
});
after(async () => {
  await platform.stop();
  await server.close();
});

const put = (name: string, body: object, key?: string) =>
  platform.call('PUT', `/v1/budgets/${name}`, { covers: 'workspace', period: 'day', ...body }, key ? { key } : {});
const read = async (name: string) => (await platform.call('GET', `/v1/budgets/${name}`)).body;
const run = (more: object = {}, options?: Parameters<TestPlatform['call']>[3]) =>
  platform.call('POST', '/v1/runs', { pattern: 'greet', input: 'hi', ...more }, options);
const rows = <Row = Record<string, unknown>>(sql: string) =>
  platform.floor.database.transaction({ role: 'pattern', workspace: platform.alpha.id }, (transaction) =>
    transaction.query<Row>(sql),
  );

/** What one run reserves. */
async function mostOfOne(): Promise<{ micros: number; tokens: number }> {
  let most: { micros: number; tokens: number } | undefined;
  await put('probe', { limit_micros: 1_000_000_000 });
  script = async (call, answer) => {
    const [hold] = await holds();
    most ??= { micros: Number(hold?.micros), tokens: Number(hold?.tokens) };
    await standard(call, answer);
  };
  assert.equal((await run()).status, 200);
  script = standard;
  await platform.call('DELETE', '/v1/budgets/probe');
  return most as { micros: number; tokens: number };
}

async function holds() {
  for (let i = 0; i < 100; i++) {
    const found = await rows<{ micros: string; tokens: string }>('select micros, tokens from pattern.budget_hold');
    if (found.length > 0) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return [];
}

async function atRest(name: string) {
  for (let i = 0; i < 100; i++) {
    const budget = await read(name);
    if (budget.reserved_micros === 0 && budget.reserved_tokens === 0) return budget;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return read(name);
}

test('a run is charged what it took, and what it reserved beyond that comes back', async () => {
  assert.equal((await put('all', { limit_micros: 1_000_000 })).status, 200);
  const { status, body } = await run();
  assert.deepEqual([status, body.cost_micros], [200, 15]);
  const budget = await atRest('all');
  assert.deepEqual(
    [budget.spent_micros, budget.spent_tokens, budget.reserved_micros, budget.left_micros, budget.left_tokens],
    [15, 15, 0, 999_985, null],
  );
  const start = new Date(`${new Date().toISOString().slice(0, 10)}T00:00:00Z`);
  assert.equal(budget.period_start, start.toISOString());
  assert.equal(new Date(budget.resets_at).getTime() - start.getTime(), 86_400_000);
});

test('a budget that is used up refuses with its name and the time of its reset, and nothing is stored or called', async () => {
  const { micros } = await mostOfOne();
  await put('tiny', { limit_micros: micros - 1 });
  const called = server.calls.length;
  const [before] = await rows('select count(*) from pattern.accepted');
  for (let i = 0; i < 2; i++) {
    const { status, body, headers } = await run({}, { headers: { 'idempotency-key': `tiny-${i}` } });
    assert.deepEqual([status, body.code], [429, 'budget_exceeded']);
    assert.match(body.detail, /budget tiny .* anew at \d{4}-/);
    assert.equal(new Date(body.reset_at).toISOString(), (await read('tiny')).resets_at);
    const wait = Number(headers.get('retry-after'));
    assert.ok(Math.abs(wait * 1_000 - (new Date(body.reset_at).getTime() - Date.now())) < 5_000, `${wait}`);
  }
  assert.equal(server.calls.length, called);
  const [afterwards] = await rows('select count(*) from pattern.accepted');
  assert.deepEqual(afterwards, before);
  assert.deepEqual(await rows('select * from pattern.claim'), []);
  await put('tiny', { limit_micros: micros });
  assert.equal(
    (await run({}, { headers: { 'idempotency-key': 'tiny-0' } })).status,
    200,
    'a raised limit counts at once',
  );
});

test('fifty runs at once against a budget for ten make ten calls', async () => {
  const { micros, tokens } = await mostOfOne();
  const full = { usage: { prompt_tokens: tokens - 100, completion_tokens: 100 } };
  script = (_, answer) => void setTimeout(() => answer.say('Fine.', full), 150);
  await put('ten', { limit_micros: 10 * micros });
  const called = server.calls.length;
  const results = await Promise.all(Array.from({ length: 50 }, () => run()));
  const of = (status: number) => results.filter((one) => one.status === status).length;
  assert.deepEqual([of(200), of(429), server.calls.length - called], [10, 40, 10]);
  const budget = await atRest('ten');
  assert.deepEqual([budget.spent_micros, budget.reserved_micros, budget.left_micros], [10 * micros, 0, 0]);
  const told = await rows<{ data: { budget: string; share: number } }>(
    "select data from pattern.outbox where name = 'pattern.budget-reached' and data ->> 'budget' = 'ten' order by id",
  );
  assert.deepEqual(
    told.map(({ data }) => data.share),
    [50, 80, 100],
  );
});

test('each share is told once in a period, whatever follows', async () => {
  script = (_, answer) => answer.say('Fine.', { usage: { prompt_tokens: 300, completion_tokens: 50 } });
  await put('shares', { limit_tokens: 4_000 });
  for (let i = 0; i < 12; i++) await run();
  await put('shares', { limit_tokens: 6_000 });
  for (let i = 0; i < 6; i++) await run();
  await atRest('shares');
  const told = await rows<{ share: string }>(
    "select data ->> 'share' as share from pattern.outbox where name = 'pattern.budget-reached' and data ->> 'budget' = 'shares' order by id",
  );
  assert.deepEqual(
    told.map(({ share }) => share),
    ['50', '80', '100'],
  );
});

test('far from its limit a budget has calls ready in memory, and idle ones go back', async () => {
  await put('wide', { limit_micros: 1_000_000_000 });
  assert.equal((await run()).status, 200);
  const [lease] = await rows<{ micros: string }>('select micros from pattern.budget_lease');
  assert.ok(Number(lease?.micros) > 10_000_000, 'a part of the budget is ready');
  await Promise.all(Array.from({ length: 20 }, () => run()));
  const budget = await atRest('wide');
  assert.deepEqual([budget.spent_micros, budget.reserved_micros], [21 * 15, 0]);
  assert.deepEqual(await rows('select * from pattern.budget_hold'), []);
});

test('a key, a pattern and an environment are limited by themselves, and a run by all that cover it', async () => {
  const key = await platform.keyFor('runner');
  const { items } = (await platform.call('GET', '/v1/keys')).body;
  const { id } = items.find(({ name }: { name: string }) => name === 'test runner');
  for (const [name, body] of [
    ['of_key', { covers: 'key', of: id }],
    ['of_pattern', { covers: 'pattern', of: 'greet' }],
    ['of_environment', { covers: 'environment', of: 'development' }],
    ['of_others', { covers: 'environment', of: 'production' }],
  ] as const) {
    const { status, text } = await put(name, { ...body, period: 'month', limit_tokens: 1_000_000 });
    assert.equal(status, 200, text);
  }
  await run({}, { key });
  await run({ version: 1 });
  await run({ pattern: 'shout' });
  const spent = [];
  for (const name of ['of_key', 'of_pattern', 'of_environment', 'of_others'])
    spent.push((await atRest(name)).spent_tokens);
  assert.deepEqual(spent, [15, 30, 30, 0]);
});

for (const [what, answer, least] of [
  ['no usage', (_, said) => said.say('Fine.', { usage: null })],
  [
    'a usage that nobody believes',
    (_, said) => said.say('Fine.', { usage: { prompt_tokens: -5, completion_tokens: 1e12 } }),
  ],
  [
    'an answer that breaks off',
    (_, said) => {
      said.chunk('x');
      said.response.destroy();
    },
  ],
] as readonly (readonly [string, Script, number?])[]) {
  test(`${what} is charged at what was reserved`, async () => {
    const { micros, tokens } = await mostOfOne();
    await put('careful', { limit_micros: 1_000_000_000, limit_tokens: 1_000_000_000 });
    script = answer;
    await run({ stream: what.includes('breaks') });
    const budget = await atRest('careful');
    assert.deepEqual([budget.spent_micros, budget.spent_tokens, least], [micros, tokens, undefined]);
  });
}

test('a refused call costs nothing, and a run that was never called neither', async () => {
  await put('refused', { limit_micros: 1_000_000_000 });
  script = (_, { response }) => void response.writeHead(401).end('{}');
  assert.equal((await run()).status, 502);
  assert.equal((await atRest('refused')).spent_micros, 0);
});

test('a model without a price runs under a limit of tokens, not under one of money', async () => {
  await put('money', { limit_micros: 1_000_000 });
  const refused = await run({ model: 'lab/unpriced' });
  assert.deepEqual([refused.status, refused.body.code, refused.body.pointer], [422, 'price_unknown', '/model']);
  assert.match(refused.body.detail, /lab\/unpriced .* input_price/);
  await put('money', { limit_tokens: 1_000_000 });
  assert.equal((await run({ model: 'lab/unpriced' })).status, 200);
  assert.equal((await atRest('money')).spent_tokens, 15);
});

for (const [what, body, pointer] of [
  ['a limit of 0', { limit_micros: 0 }, '/limit_micros'],
  ['a negative limit', { limit_tokens: -1 }, '/limit_tokens'],
  ['a fraction', { limit_micros: 0.5 }, '/limit_micros'],
  ['no limit', {}, '/limit_micros'],
  ['a period that there is not', { period: 'week', limit_micros: 1 }, '/period'],
  ['a key without an id', { covers: 'key', of: 'bob', limit_micros: 1 }, '/of'],
  ['a pattern without a name', { covers: 'pattern', limit_micros: 1 }, '/of'],
  ['a workspace with a name', { of: 'x', limit_micros: 1 }, '/of'],
  ['a field of the server', { limit_micros: 1, spent_micros: 0 }, '/spent_micros'],
] as const) {
  test(`${what} is refused, and nothing is stored`, async () => {
    const { status, body: problem } = await put('bad', body);
    assert.deepEqual([status, problem.pointer], [400, pointer], problem.detail);
    assert.deepEqual(await rows('select name from pattern.budget'), []);
  });
}

test('numbers that are none are refused as they come', async () => {
  for (const number of ['1e309', 'NaN', '-0', '1e15.5']) {
    const body = `{"covers":"workspace","period":"day","limit_micros":${number}}`;
    assert.equal(
      (await platform.call('PUT', '/v1/budgets/bad', body, { headers: { 'content-type': 'application/json' } })).status,
      400,
      number,
    );
  }
  assert.equal((await put('bad', { covers: 'pattern', of: 'nothing', limit_micros: 1 })).status, 404);
});

test('a budget leaves an audit row and an event, a repeated one neither, and who may not is refused', async () => {
  const left = () =>
    rows(`select action, actor_kind from pattern.audit where subject = 'budget/traced'
          union all select name, 'event' from pattern.outbox where data ->> 'budget' = 'traced'`);
  await put('traced', { limit_micros: 5 });
  await put('traced', { limit_micros: 5 });
  assert.equal((await left()).length, 2);
  const operator = await platform.keyFor('operator');
  const { status, body } = await put('traced', { limit_micros: 6 }, operator);
  assert.deepEqual([status, body.need], [403, 'budget:write']);
  assert.equal((await platform.call('GET', '/v1/budgets/traced', undefined, { key: operator })).status, 200);
  assert.equal((await platform.call('DELETE', '/v1/budgets/traced')).status, 200);
  assert.equal((await left()).length, 4);
  assert.equal((await platform.call('DELETE', '/v1/budgets/traced')).status, 404);
});

test('what a budget covers anew begins at nothing; a new limit keeps what was spent', async () => {
  await put('moved', { limit_tokens: 1_000_000 });
  await run();
  assert.equal((await atRest('moved')).spent_tokens, 15);
  await put('moved', { limit_tokens: 2_000_000 });
  assert.equal((await read('moved')).spent_tokens, 15);
  await put('moved', { period: 'month', limit_tokens: 2_000_000 });
  assert.equal((await read('moved')).spent_tokens, 0);
});

const start = async (more: object = {}) => {
  const { status, body, text } = await run({ mode: 'async', ...more });
  assert.equal(status, 202, text);
  return body.id as string;
};

// biome-ignore lint/suspicious/noExplicitAny: tests read answers as they come.
async function until(what: string, id: string, is: (run: any) => boolean) {
  for (let tries = 0; tries < 200; tries++) {
    const { body } = await platform.call('GET', `/v1/runs/${id}`);
    if (is(body)) return body;
    await systemClock.sleep(50);
  }
  throw new Error(`The run is not ${what}`);
}
const ended = (id: string) => until('over', id, ({ finished_at }) => finished_at !== null);

test('a run is admitted by all budgets that cover it or by none', async () => {
  const { tokens } = await mostOfOne();
  await put('large', { limit_tokens: 20 * tokens });
  await put('small', { limit_tokens: tokens - 1 });
  assert.match((await run()).body.detail, /budget small/);
  assert.equal((await read('large')).reserved_tokens, 0);
  await platform.call('DELETE', '/v1/budgets/small');
  assert.equal((await run()).status, 200);
});

test('whoever comes again with a key gets the first answer, also when the budget is used up since', async () => {
  await put('kept', { limit_tokens: 1_000_000 });
  const headers = { 'idempotency-key': 'kept' };
  const first = await run({}, { headers });
  await put('kept', { limit_tokens: 1 });
  const again = await run({}, { headers });
  assert.deepEqual([again.status, again.body.id], [200, first.body.id]);
  assert.equal((await run()).status, 429);
});

test('a budget that is removed while a run is under way holds nothing, and one of its name begins anew', async () => {
  await put('gone', { limit_tokens: 1_000_000 });
  script = async (call, answer) => {
    await platform.call('DELETE', '/v1/budgets/gone');
    await put('gone', { limit_tokens: 1_000_000 });
    await standard(call, answer);
  };
  assert.equal((await run()).status, 200);
  assert.deepEqual([(await atRest('gone')).spent_tokens, (await read('gone')).reserved_tokens], [0, 0]);
  script = standard;
  assert.equal((await run()).status, 200);
  assert.equal((await atRest('gone')).spent_tokens, 15);
  assert.deepEqual(await rows('select * from pattern.budget_hold'), []);
});

test('a client that leaves is charged at the maximum of its call, and holds nothing afterwards', async () => {
  const { tokens } = await mostOfOne();
  await put('left', { limit_tokens: 1_000_000 });
  script = (_, answer) => answer.chunk({ choices: [{ index: 0, delta: { content: 'x' }, finish_reason: null }] });
  const leave = new AbortController();
  const response = await fetch(`${platform.url}/v1/runs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${platform.alpha.ownerKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ pattern: 'greet', input: 'hi', stream: true }),
    signal: leave.signal,
  });
  assert.equal(response.status, 200);
  leave.abort();
  for (let tries = 0; tries < 100 && (await read('left')).spent_tokens === 0; tries++) await systemClock.sleep(20);
  const { spent_tokens, reserved_tokens } = await atRest('left');
  assert.deepEqual([spent_tokens, reserved_tokens], [tokens, 0]);
});

test('a step of a chain counts for its own pattern and for that of the chain, in the environment of the run', async () => {
  const files = [
    { path: 'pattern.yaml', content: 'steps:\n  hello: {pattern: greet}\n  loud: {pattern: shout, after: [hello]}\n' },
  ];
  const made = await platform.call('POST', '/v1/patterns', { name: 'polite', files });
  assert.equal(made.status, 201, made.text);
  const covers = [
    ['chain', { covers: 'pattern', of: 'polite' }],
    ['step', { covers: 'pattern', of: 'shout' }],
    ['place', { covers: 'environment', of: 'development' }],
  ] as const;
  for (const [name, body] of covers) await put(name, { ...body, limit_tokens: 1_000_000 });
  const { status, text } = await run({ pattern: 'polite' });
  assert.equal(status, 200, text);
  const spent = [];
  for (const [name] of covers) spent.push((await atRest(name)).spent_tokens);
  assert.deepEqual(spent, [30, 15, 30]);
});

test('a queued run is charged what it took', async () => {
  await put('all', { limit_micros: 1_000_000 });
  const found = await ended(await start());
  assert.deepEqual([found.status, found.cost_micros], ['succeeded', 15], JSON.stringify(found));
  const { body } = await platform.call('GET', '/v1/budgets/all');
  assert.deepEqual([body.spent_micros, body.reserved_micros], [15, 0]);
});

test('queued runs that meet a used up budget wait for its reset, call nobody, and go on or end before their deadline', async () => {
  const { micros } = await mostOfOne();
  await put('all', { limit_micros: micros + 10 });
  assert.equal((await run()).status, 200);
  const called = server.calls.length;
  const waiting = await start();
  const late = await start({ deadline: new Date(Date.now() + 1_500).toISOString() });
  const found = await until('waiting', waiting, ({ queue }) => queue?.why !== null && queue?.why !== undefined);
  assert.equal(found.status, 'queued');
  assert.match(found.queue.why, /budget all does not pay .* begins anew at/);
  const wait = Date.parse(found.queue.ready_at) - Date.now();
  assert.ok(wait > 60_000 || new Date().getUTCHours() === 23, `${wait}`);
  const over = await ended(late);
  assert.deepEqual(
    [over.status, over.error.code, over.cost_micros],
    ['failed', 'budget_exceeded', 0],
    JSON.stringify(over),
  );
  assert.equal(server.calls.length, called);
  await platform.call('POST', `/v1/runs/${waiting}/cancel`);
  assert.equal((await ended(waiting)).status, 'cancelled');
});

test('a caller who waits for a chain is told that a budget is used up, and waits for no reset', async () => {
  const { micros } = await mostOfOne();
  await put('all', { limit_micros: micros + 10 });
  assert.equal((await run()).status, 200);
  const called = server.calls.length;
  const { status, body } = await run({ pattern: 'polite' });
  assert.deepEqual([status, body.code], [429, 'budget_exceeded']);
  assert.match(body.detail, /^Step hello: The budget all does not pay/);
  assert.equal(server.calls.length, called);
});

test('what costs more than all of a budget waits for nothing: a run fails, a batch pauses', async () => {
  const { micros } = await mostOfOne();
  await put('all', { limit_micros: micros - 1 });
  const called = server.calls.length;
  const found = await ended(await start());
  assert.deepEqual([found.status, found.error.code], ['failed', 'budget_exceeded'], JSON.stringify(found));
  assert.match(found.error.detail, /more than the budget all has in all/);
  const made = await platform.call('POST', '/v1/batches', { pattern: 'greet', items: [{ input: 'hi' }] });
  assert.equal(made.status, 202, made.text);
  let batch = made.body;
  for (let tries = 0; tries < 200 && batch.status !== 'paused'; tries++) {
    await systemClock.sleep(25);
    batch = (await platform.call('GET', `/v1/batches/${made.body.id}`)).body;
  }
  assert.deepEqual([batch.status, batch.lines.failed], ['paused', 0], JSON.stringify(batch));
  assert.match(batch.reason, /budget/);
  assert.equal(server.calls.length, called);
  await platform.call('DELETE', '/v1/budgets/all');
  await platform.call('POST', `/v1/batches/${batch.id}/resume`);
  for (let tries = 0; tries < 200 && batch.status !== 'finished'; tries++) {
    await systemClock.sleep(25);
    batch = (await platform.call('GET', `/v1/batches/${made.body.id}`)).body;
  }
  assert.deepEqual([batch.status, batch.lines.succeeded], ['finished', 1]);
});

test('a model without a price is refused under a limit of money before a run or a batch is accepted', async () => {
  await put('all', { limit_micros: 1_000_000 });
  const asked = { pattern: 'greet', model: 'lab/unpriced' };
  const queued = await run({ ...asked, mode: 'async' });
  assert.deepEqual([queued.status, queued.body.code], [422, 'price_unknown'], queued.text);
  const batch = await platform.call('POST', '/v1/batches', { ...asked, items: [{ input: 'x' }] });
  assert.deepEqual([batch.status, batch.body.code], [422, 'price_unknown'], batch.text);
});

test('fifty queued runs against a budget for ten: ten calls go out, and those that wait hold nothing', async () => {
  await platform.call('DELETE', '/v1/budgets/all');
  let reserved = 0;
  script = async (call, answer) => {
    const { body } = await platform.call('GET', '/v1/budgets/all');
    reserved = Math.max(reserved, body.reserved_tokens);
    await standard(call, answer);
  };
  await put('all', { limit_tokens: 1_000_000 });
  await ended(await start());
  assert.ok(reserved > 100);
  script = (_, answer) => answer.say('Fine.', { usage: { prompt_tokens: reserved - 100, completion_tokens: 100 } });
  await platform.call('DELETE', '/v1/budgets/all');
  await put('all', { limit_tokens: 10 * reserved });
  const called = server.calls.length;
  const ids = await Promise.all(Array.from({ length: 50 }, () => start()));
  for (let tries = 0; tries < 200; tries++) {
    const runs = await Promise.all(ids.map(async (id) => (await platform.call('GET', `/v1/runs/${id}`)).body));
    if (runs.every(({ status, queue }) => status === 'succeeded' || queue?.why)) break;
    await systemClock.sleep(50);
  }
  assert.equal(server.calls.length - called, 10);
  const { body } = await platform.call('GET', '/v1/budgets/all');
  assert.deepEqual([body.spent_tokens, body.reserved_tokens, body.left_tokens], [10 * reserved, 0, 0]);
  for (const id of ids) await platform.call('POST', `/v1/runs/${id}/cancel`);
});
