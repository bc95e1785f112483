import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { defaultSettings } from '@damask/contracts/pattern-settings.ts';
import pg from 'pg';
import type { AppError } from '#platform/app-error.ts';
import type { EventSink } from '#platform/call.ts';
import { systemClock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import { createTextThreads } from '#platform/redact/text-threads.ts';
import { systemContext } from '#platform/system-context.ts';
import { type ModelServer, type Script, startModelServer } from '#platform/testing/model-server.ts';
import { createSchemaWorkers } from '#platform/user-schema/schema-workers.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';
import type { RoutedPort } from '../model/model-router.ts';
import { createSubjectKeys } from '../privacy/subject-keys.ts';
import { unknownModel } from '../routing/model-facts.ts';
import type { RoutedResult } from '../routing/routed-call.ts';
import { createConfirmEnd } from './confirm-end.ts';
import type { EngineParts } from './engine.ts';
import { executeRun } from './execute-run.ts';
import { followRun } from './follow-run.ts';
import { createJournal } from './journal.ts';
import { listRuns } from './list-runs.ts';
import { createLiveRuns } from './live-runs.ts';
import { createPayloads } from './payloads.ts';
import type { RunPlan } from './plan-run.ts';
import type { FinishedRow } from './record.ts';
import { startRecovery } from './recover-runs.ts';
import type { RunParts } from './run-parts.ts';

let platform: TestPlatform;
let model: ModelServer;
let admin: pg.Client;
let script: Script = (_, answer) => answer.say('Hello.');

before(async () => {
  model = await startModelServer((call, answer) => script(call, answer));
  platform = await startTestPlatform({ modelUrl: model.url, environment: { DAMASK_DATABASE_POOL: '2' } });
  await platform.call('POST', '/v1/patterns', { name: 'greet', system: 'Greet.' });
  admin = new pg.Client(platform.connection);
  await admin.connect();
});
after(async () => {
  await admin.end();
  await platform.stop();
  await model.close();
});

const run = () => platform.call('POST', '/v1/runs', { pattern: 'greet', input: 'x', model: 'openai/test' });
const read = async (id: string) => (await platform.call('GET', `/v1/runs/${id}`)).body;

function makeRow(workspace = platform.alpha.id): FinishedRow {
  const now = new Date(systemClock.now()).toISOString();
  const id = systemClock.uuid();
  return {
    workspace,
    id,
    process: platform.floor.registry.id,
    accepted_at: now,
    pattern: 'greet',
    version: 1,
    digest: `sha256:${'0'.repeat(64)}`,
    environment: null,
    label: null,
    strategy: null,
    context: null,
    session: null,
    language: null,
    model: 'openai/test',
    stream: false,
    actor: id,
    metadata: {},
    finished_at: now,
    status: 'succeeded',
    stop_reason: 'stop',
    input_tokens: 1,
    output_tokens: 1,
    cached_input_tokens: null,
    reasoning_tokens: null,
    cost_micros: 1,
    first_output_ms: 1,
    total_ms: 1,
    error_code: null,
    error_detail: null,
    attempts: [],
    sanitised: false,
  };
}

const openJournal = () =>
  createJournal({
    connect: () => platform.floor.database.dedicated('journal'),
    clock: systemClock,
    log: platform.floor.log,
  });

test('whatever a provider gives as its reason to stop, the run that was paid is recorded', async () => {
  for (const [finish, stored] of [
    ['st\0op', 'st\ufffdop'],
    ['\ud83d', '\ufffd'],
    ['x'.repeat(100_000), 'x'.repeat(100)],
  ] as const) {
    script = (_, answer) => answer.say('paid', { finish });
    const { status, body } = await run();
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.stop_reason, stored);
    assert.deepEqual(await read(body.id), body);
  }
});

test('whatever a provider says about its failure, the failure is recorded, in short', async () => {
  for (const message of ['a\0b', `${'a'.repeat(299)}\u{1f600} tail`, 'e'.repeat(60_000)]) {
    script = (_, { response }) => void response.writeHead(500).end(JSON.stringify({ error: { message } }));
    const { status, body } = await run();
    assert.equal(status, 502);
    assert.equal(body.code, 'provider_error');
    assert.ok(body.detail.length <= 1_000);
    const stored = await read(body.run_id);
    assert.deepEqual(stored.error, { code: 'provider_error', detail: body.detail });
  }
  script = (_, answer) => {
    answer.chunk({ choices: [{ delta: { content: 'so ' } }] });
    answer.chunk({ error: { message: 'e'.repeat(500_000) } });
    answer.response.end();
  };
  const midway = await platform.call('POST', '/v1/runs', {
    pattern: 'greet',
    input: 'x',
    model: 'openai/test',
    stream: true,
  });
  assert.match(midway.text, /event: run.failed/);
  assert.ok(midway.text.length < 5_000);
});

test('an end that the database refuses is set aside, and the run does not stay open', async () => {
  const journal = openJournal();
  const row = makeRow();
  await journal.accept(row).committed;
  const end = journal.finish({ ...row, stop_reason: 'a\0b' }, Buffer.from('x'));
  await assert.rejects(end.committed, { code: 'unrecorded' });
  const stored = await read(row.id);
  assert.equal(stored.status, 'failed');
  assert.equal(stored.error.code, 'unrecorded');
  assert.equal(stored.output, null);
  assert.equal((await admin.query('select from pattern.quarantined where run = $1', [row.id])).rowCount, 1);
  await journal.stop(1_000);
});

test('a run that ends before its acceptance was sent is one row, and both are told when it is committed', async () => {
  const journal = openJournal();
  const [row, late] = [makeRow(), makeRow()];
  const accepted = journal.accept(row);
  const end = journal.finish(row, null, accepted);
  await Promise.all([accepted.committed, end.committed]);
  assert.equal((await read(row.id)).status, 'succeeded');
  const count = async (id: string) =>
    (await admin.query('select from pattern.accepted where id = $1', [id])).rowCount as number;
  assert.equal(await count(row.id), 0);
  const sent = journal.accept(late);
  await sent.committed;
  await journal.finish(late, null, sent).committed;
  assert.equal((await read(late.id)).status, 'succeeded');
  assert.equal(await count(late.id), 1);
  await journal.stop(1_000);
});

test('a run that ends while a list is read is in it once, as ended', async () => {
  const journal = openJournal();
  const row = makeRow();
  await journal.accept(row).committed;
  const { floor, alpha } = platform;
  const database: Pick<Database, 'transaction'> = {
    transaction: (scope, work) =>
      floor.database.transaction(scope, (transaction) =>
        work({
          announce: transaction.announce,
          query: async <Row>(text: string, values?: readonly unknown[]) => {
            const rows = await transaction.query<Row>(text, values);
            if (text.includes('not exists')) await journal.finish(row, null).committed;
            return rows;
          },
        }),
      ),
  };
  const parts = { database, cursors: floor.cursors, engine: { clock: systemClock } } as RunParts;
  const { items } = await listRuns(parts, { ...systemContext(systemClock), workspace: alpha.id }, {});
  assert.deepEqual(
    items.filter((item) => item.id === row.id).map((item) => item.status),
    ['succeeded'],
  );
  await journal.stop(1_000);
});

test('reading several runs of a workspace for the first time does not wait for itself', async () => {
  const journal = openJournal();
  const rows = Array.from({ length: 4 }, () => makeRow(platform.beta.id));
  await Promise.all(rows.map((row) => journal.finish(row, Buffer.alloc(100)).committed));
  const started = systemClock.monotonic();
  const replies = await Promise.all(
    rows.map(({ id }) => platform.call('GET', `/v1/runs/${id}`, undefined, { key: platform.beta.ownerKey })),
  );
  assert.ok(systemClock.monotonic() - started < 3_000);
  for (const { body } of replies) assert.match(body.detail, /cannot be decrypted/);
  await journal.stop(1_000);
});

test('a run that others ended while this process was silent is told as they ended it', async () => {
  const journal = openJournal();
  const row = makeRow();
  const interrupted: FinishedRow = { ...row, status: 'failed', error_code: 'interrupted', error_detail: 'It died.' };
  await journal.finish(interrupted, null).committed;
  await journal.finish(row, null).committed;
  const { floor } = platform;
  const silent = createConfirmEnd({ ...floor, registry: { lapsedSince: () => true } });
  const told = await silent(row, 0);
  assert.deepEqual([told.status, told.error_code], ['failed', 'interrupted']);
  const steady = createConfirmEnd({ ...floor, registry: { lapsedSince: () => false } });
  assert.equal(steady(row, 0), row);
  await journal.stop(1_000);
});

test('the runs of a dead process are all ended, also those whose clock was hours behind', async () => {
  const journal = openJournal();
  const dead = systemClock.uuid();
  const { floor } = platform;
  await admin.query(`insert into platform.process (id, host, pid) values ($1, 'elsewhere', 1)`, [dead]);
  const hex = (systemClock.now() - 3 * 3_600_000).toString(16).padStart(12, '0');
  const late = `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000001`;
  const rows = Array.from({ length: 505 }, () => ({ ...makeRow(), process: dead }));
  rows.push({ ...makeRow(), process: dead, id: late });
  await Promise.all(rows.map((row) => journal.accept(row).committed));
  await admin.query(`update platform.process set heartbeat_at = now() - interval '1 minute' where id = $1`, [dead]);
  const recovery = startRecovery({ ...floor, journal, clock: systemClock });
  await recovery.first;
  await recovery.stop();
  const { rows: ended } = await admin.query(
    `select error_code, count(*)::int from pattern.finished where process = $1 group by 1`,
    [dead],
  );
  assert.deepEqual(ended, [{ error_code: 'interrupted', count: 506 }]);
  await journal.stop(1_000);
});

test('runs that still run are listed in their place, page by page', async () => {
  const journal = openJournal();
  const rows = Array.from({ length: 12 }, () => ({ ...makeRow(), pattern: 'mixed' }));
  for (const [i, row] of rows.entries()) {
    await journal.accept(row).committed;
    if (i % 3 !== 1) await journal.finish(row, null).committed;
  }
  const paged: string[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await platform.call('GET', `/v1/runs?pattern=mixed&limit=5${cursor && `&cursor=${cursor}`}`);
    paged.push(...body.items.map((item: { id: string; status: string }) => `${item.id} ${item.status}`));
    if (!body.next) break;
    cursor = body.next;
  }
  const expected = rows.map(({ id }, i) => `${id} ${i % 3 === 1 ? 'running' : 'succeeded'}`).reverse();
  assert.deepEqual(paged, expected);
  const running = await platform.call('GET', '/v1/runs?pattern=mixed&status=running');
  assert.equal(running.body.items.length, 4);
  await journal.stop(1_000);
});

interface Reader extends EventSink {
  readonly told: string[];
  text: string;
}

/** Takes what it is given; `slow` says that it will never take more. */
function createReader(slow: boolean): Reader {
  const reader: Reader = {
    told: [],
    text: '',
    emit(name, _, data) {
      reader.told.push(name);
      if (name === 'output.delta') reader.text += (data as { text: string }).text;
      return !slow;
    },
    drained: () => (slow ? new Promise(() => undefined) : Promise.resolve()),
  };
  return reader;
}

/** A run of a model that says what it is told to, for readers that are waited for 50 ms only. */
function startByHand(sink: EventSink, onDisconnect: 'cancel' | 'continue') {
  const { floor, alpha } = platform;
  const journal = openJournal();
  const usage = { input_tokens: null, output_tokens: null, cached_input_tokens: null, reasoning_tokens: null };
  const served = { name: 'openai/test', facts: unknownModel } as RoutedResult['served'];
  const rest = { usage, status: 200, firstOutputMs: 1, attempts: [], served };
  let tell: (result: RoutedResult) => void = () => undefined;
  let say: (text: string) => boolean = () => assert.fail('The call did not begin');
  const port: RoutedPort = {
    call({ onText }) {
      say = onText;
      return {
        done: new Promise((resolve) => {
          tell = resolve;
        }),
        abort: (code, detail) => tell({ ok: false, code, detail, ...rest }),
        resume: () => undefined,
      };
    },
  };
  const engine: EngineParts = {
    journal,
    live: createLiveRuns({ limit: 1, clock: systemClock }),
    payloads: createPayloads(floor.vault, createSubjectKeys({ ...floor, clock: systemClock })),
    privacy: { classOf: (_, own) => own, admit: () => undefined },
    clock: systemClock,
    checks: createSchemaWorkers({ clock: systemClock }),
    threads: createTextThreads({ clock: systemClock }),
    process: floor.registry.id,
    recordWithin: 5_000,
    readerWithin: 50,
    observe: () => undefined,
    confirm: (known) => known,
  };
  const row = makeRow();
  const context = { ...systemContext(systemClock), workspace: alpha.id };
  const plan = {
    pattern: 'greet',
    version: { number: 1, digest: row.digest, output: defaultSettings.output, store: 'all' } as RunPlan['version'],
    dataClass: 'internal' as const,
    environment: null,
    label: null,
    messages: [],
    parameters: {},
    model: null,
    language: null,
    said: 'x',
    attachments: [],
    tools: [],
    toolChoice: null,
    toolMessages: [],
    redact: null,
    given: { pattern: 'x', input: '' },
    deprecated: null,
    patternId: row.id,
    texts: { strategy: undefined, context: undefined, now: 0 },
  };
  const ended = executeRun(
    engine,
    { ...context, actor: { ...context.actor, id: row.id }, sink },
    {
      plan,
      route: { name: 'openai/test', model: 'test', port, candidates: [], repeatUncertain: false },
      input: 'x',
      variables: {},
      strategy: null,
      background: null,
      session: null,
      metadata: {},
      onDisconnect,
      timeoutMs: 5_000,
    },
  );
  const id = async () => {
    for (let wait = 0; wait < 500; wait++) {
      const { rows } = await admin.query('select id from pattern.accepted where actor = $1', [row.id]);
      if (rows[0]) return rows[0].id as string;
      await systemClock.sleep(10);
    }
    throw new Error('The run was not accepted');
  };
  return {
    ended,
    id,
    say: (text: string) => say(text),
    end: () => tell({ ok: true, stopReason: 'stop', tool_calls: [], ...rest }),
    follow: (run: string, reader: EventSink) =>
      followRun({ engine, database: floor.database } as RunParts, { ...context, sink: reader }, { run }),
    stop: () => journal.stop(1_000),
  };
}

const slow = (error: AppError) => error.code === 'slow_consumer';

test('a stream whose reader takes nothing ends as a failure, and its end is not pressed on the reader', async () => {
  const caller = createReader(true);
  const run = startByHand(caller, 'cancel');
  const id = await run.id();
  for (const text of ['one ', 'two ']) run.say(text);
  await assert.rejects(run.ended, slow);
  assert.deepEqual(caller.told, ['run.accepted', 'output.delta', 'output.delta']);
  const stored = await read(id);
  assert.deepEqual([stored.status, stored.error.code, stored.output], ['failed', 'slow_consumer', 'one two ']);
  await run.stop();
});

test('a caller that takes nothing is cut off, and a run that lives without it goes on for others', async () => {
  const [caller, other] = [createReader(true), createReader(false)];
  const run = startByHand(caller, 'continue');
  const id = await run.id();
  run.say('one ');
  const reading = run.follow(id, other);
  await systemClock.sleep(120);
  for (const text of ['two ', 'three']) assert.equal(run.say(text), true, 'nobody holds the model up');
  run.end();
  await assert.rejects(run.ended, slow);
  assert.equal((await reading).output, 'one two three');
  assert.equal(other.text, 'one two three');
  assert.deepEqual(caller.told, ['run.accepted', 'output.delta']);
  assert.equal((await read(id)).status, 'succeeded');
  await run.stop();
});

test('one who reads along and takes nothing is cut off alone', async () => {
  const [caller, idle] = [createReader(false), createReader(true)];
  const run = startByHand(caller, 'cancel');
  const id = await run.id();
  run.say('one ');
  await assert.rejects(run.follow(id, idle), slow);
  run.say('two');
  run.end();
  assert.equal((await run.ended).status, 'succeeded');
  assert.equal(caller.text, 'one two');
  await run.stop();
});
