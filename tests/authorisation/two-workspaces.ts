import { randomUUID } from 'node:crypto';
import { type Role, roles } from '@damask/contracts/permissions.ts';
import pg from 'pg';
import type { Gateway } from '../../server/src/gateway/open-gateway.ts';
import { type ModelServer, startModelServer } from '../../server/src/platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../server/src/testing/test-platform.ts';
import { createHttpClient, type HttpClient, type HttpReply, type SendOptions } from '../http-client.ts';
import { findLeak } from './find-leak.ts';

/** One of two workspaces with the same content, whose mark stands in every text and name of it. */
export interface Side {
  /** Five lower-case letters that occur nowhere else. */
  readonly mark: string;
  readonly workspace: string;
  readonly owner: string;
  readonly keys: Readonly<Record<Role | 'expired' | 'revoked', string>>;
  /** When the expired key really is, in milliseconds since 1970. */
  readonly expiredAt: number;
  /** What fields can name, by the word for it in `fields.csv`. */
  readonly things: Record<string, string | number>;
  /** Strings that nobody else may ever see. */
  readonly secrets: readonly string[];
}

export interface TwoWorkspaces {
  readonly platform: TestPlatform;
  readonly gateway: Gateway;
  readonly model: ModelServer;
  readonly alpha: Side;
  readonly beta: Side;
  /** A request with a key of alpha. Notes in `leaks` what of beta stands in the answer. */
  send(method: string, path: string, options?: SendOptions): Promise<HttpReply>;
  /** The same from another address, for keys that are not accepted. */
  sendBad(method: string, path: string, options?: SendOptions): Promise<HttpReply>;
  /** The same world, asked through another listener. */
  at(url: string): TwoWorkspaces;
  /** Answers what leaked since it was last asked. */
  takeLeaks(): string[];
  /** As superuser. */
  sql<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  /** As superuser, and undone at the end. */
  transaction<Result>(work: (query: TwoWorkspaces['sql']) => Promise<Result>): Promise<Result>;
  stop(): Promise<void>;
}

/** What a run's input says to make the model wait until the call is given up. */
export const waitingInput = 'wait until I cancel';

let clients = 1;

/** The platform with two workspaces, alpha and beta, that hold the same things. */
export async function startTwoWorkspaces(): Promise<TwoWorkspaces> {
  const model = await startModelServer((call, answer) => {
    const asked = call.messages.map((message) => message.content).join('\n');
    if (!asked.includes(waitingInput)) answer.say(`You said: ${asked}`);
  });
  const platform = await startTestPlatform({
    modelUrl: model.url,
    environment: { DAMASK_EGRESS_ALLOW: new URL(model.url).host },
  });
  const client = createHttpClient(platform.url);
  const pool = new pg.Pool({ ...platform.connection, max: 2 });
  pool.on('error', () => undefined);
  const sql: TwoWorkspaces['sql'] = async <Row extends object>(text: string, values: unknown[] = []) =>
    (await pool.query<Row>(text, values)).rows;
  const alpha = await seed(client, model.url, { ...platform.alpha, mark: 'qalqa' });
  const beta = await seed(client, model.url, { ...platform.beta, mark: 'qbeqb', more: true });
  await platform.gateway.refresh();
  // No run of these tests is ever refused by the database, so this table has to be filled by hand.
  for (const { workspace } of [alpha, beta]) {
    await sql(`insert into pattern.quarantined (workspace, run, reason, digest) values ($1, $1, 'seeded', '')`, [
      workspace,
    ]);
  }
  for (const side of [alpha, beta]) {
    await seedHeld(sql, side.workspace, platform.floor.registry.id);
    await seedQueued(sql, side.workspace);
    const steps = await client.send('GET', `/v1/runs/${side.things.run}/steps?limit=1`, { key: side.owner });
    side.things['cursor of GET /v1/runs/{run}/steps'] = steps.body.next;
    const list = 'GET /v1/timers/{timer}/ticks';
    const { body } = await client.send('GET', `/v1/timers/${side.things.timer}/ticks?limit=1`, { key: side.owner });
    side.things[`cursor of ${list}`] = body.next;
  }
  client.close();
  const leaks: string[] = [];
  const open: HttpClient[] = [];

  const watched =
    (through: HttpClient): TwoWorkspaces['send'] =>
    async (method, path, given = {}) => {
      const reply = await through.send(method, path, given);
      const leak = findLeak(reply, beta.secrets, `${path} ${JSON.stringify(given.body ?? '')}`);
      if (leak) leaks.push(`${method} ${path} answered with ${leak}`);
      return reply;
    };

  const askAt = (url: string): Pick<TwoWorkspaces, 'send' | 'sendBad'> => {
    const good = createHttpClient(url);
    open.push(good);
    let bad = good;
    let asked = 0;
    const sendBad: TwoWorkspaces['send'] = (method, path, options) => {
      // After about a hundred keys that are not accepted an address has to wait.
      if (asked++ % 80 === 0) {
        bad = createHttpClient(url, { from: 2 + (clients++ % 200) });
        open.push(bad);
      }
      return watched(bad)(method, path, options);
    };
    return { send: watched(good), sendBad };
  };
  const world: TwoWorkspaces = {
    platform,
    gateway: platform.gateway,
    model,
    alpha,
    beta,
    ...askAt(platform.url),
    at: (url) => ({ ...world, ...askAt(url) }),
    takeLeaks: () => leaks.splice(0),
    sql,
    async transaction(work) {
      const one = await pool.connect();
      try {
        await one.query('begin');
        return await work(
          async <Row extends object>(text: string, values: unknown[] = []) => (await one.query<Row>(text, values)).rows,
        );
      } finally {
        await one.query('rollback');
        one.release();
      }
    },
    async stop() {
      for (const client of open) client.close();
      await pool.end();
      await platform.stop();
      await model.close();
    },
  };
  return world;
}

/** What processes hold of budgets and of the limits of providers lasts for moments only, and ticks take years: put there by hand. */
async function seedHeld(sql: TwoWorkspaces['sql'], workspace: string, process: string) {
  await sql(
    `with held as (
       insert into pattern.budget_period (workspace, budget, start)
       select workspace, id, current_date from pattern.budget where workspace = $1
       on conflict (workspace, budget, start) do update set told = 0 returning workspace, budget, start
     ), lease as (
       insert into pattern.budget_lease (workspace, budget, start, process, epoch, micros, tokens)
       select workspace, budget, start, $2, $2, 1, 1 from held
     )
     insert into pattern.budget_hold (workspace, id, process, run, queued, micros, tokens, budgets, starts)
     select workspace, budget, $2, budget, true, 1, 1, array[budget], array[start] from held`,
    [workspace, process],
  );
  await sql(
    `insert into pattern.timer_tick (workspace, timer, at, state)
     select workspace, name, date_trunc('year', now()) - days * interval '1 day', 'missed'
       from pattern.timer, generate_series(1, 2) as days where workspace = $1`,
    [workspace],
  );
  await sql(
    "insert into pattern.batch_line (workspace, batch, line, state) select workspace, id, 1, 'open' from pattern.batch where workspace = $1",
    [workspace],
  );
  await sql("insert into pattern.provider_take values ($1, 'lab', 0, 1, 1)", [workspace]);
}

/** A queued run lasts for moments too, and so does what is written down of it while it is followed: two runs wait for ever. */
async function seedQueued(sql: TwoWorkspaces['sql'], workspace: string) {
  await sql(
    `with run as (select workspace, id from pattern.finished where workspace = $1 order by id limit 2),
      task as (insert into pattern.task (workspace, id, lane, priority, provider, model, ready_at, state, why, stepped, request)
        select workspace, id, 'bulk', 0, '', '', 'infinity', 'waiting', 'approval', true, '\\x00' from run),
      turn as (insert into pattern.task_turn (workspace) values ($1) on conflict do nothing),
      step as (insert into pattern.step (workspace, run, path, state, calls, attempts, usage, sanitised, why, started_at)
        select workspace, id, path, 'waiting', 0, '[]', $2, false, 'approval', now()
          from run, unnest(array['first', 'second']) as path),
      output as (insert into pattern.run_output (workspace, run, token, attempt, start, bytes, piece)
        select workspace, id, 1, 1, 0, 1, '\\x00' from run)
     insert into pattern.run_signal (workspace, run, kind, process) select workspace, id, 'publish', id from run`,
    [workspace, '{"input_tokens":null,"output_tokens":null,"cached_input_tokens":null,"reasoning_tokens":null}'],
  );
}

interface Seed {
  readonly id: string;
  readonly ownerKey: string;
  readonly mark: string;
  /** One version, label and key more than the other side. */
  readonly more?: boolean;
}

async function seed(client: HttpClient, modelUrl: string, given: Seed): Promise<Side> {
  const { id: workspace, ownerKey: owner, mark, more = false } = given;
  const must = async (method: string, path: string, body?: unknown) => {
    const reply = await client.send(method, path, { key: owner, body });
    if (reply.status >= 300) throw new Error(`Seeding ${method} ${path} answered ${reply.status}: ${reply.text}`);
    return reply.body;
  };
  const pattern = `${mark}_mail`;
  // Without the mark, so that the other side may make its own under this name and show it.
  const second = more ? 'second_b' : 'second_a';
  const text = (what: string) => `# ${mark} ${what}\n\nDo what ${mark} says about {{topic}}.`;
  const files = [
    { path: 'system.md', content: text('files') },
    { path: 'pattern.yaml', content: `title: ${mark} title\ndescription: ${mark} text\ntags: [${mark}-tag]\n` },
  ];
  const made = await must('POST', '/v1/patterns', { name: pattern, files, message: `${mark} first` });
  await must('POST', `/v1/patterns/${pattern}/versions`, { system: text('second'), message: `${mark} second` });
  await must('PUT', `/v1/patterns/${pattern}/labels/${mark}_gone`, { version: 1 });
  await must('DELETE', `/v1/patterns/${pattern}/labels/${mark}_gone`);
  await must('PUT', `/v1/patterns/${pattern}/labels/${mark}_live`, { version: 1 });
  const hidden = await must('POST', '/v1/patterns', { name: `${mark}_deleted`, files });
  await must('DELETE', `/v1/patterns/${mark}_deleted`);
  await must('POST', '/v1/patterns', { name: second, system: text('other') });
  await must('POST', '/v1/patterns', { name: `${second}_tree`, system: text('tree') });
  // The same names on both sides, once with other texts and once with the very same.
  await must('POST', '/v1/patterns', { name: 'same_name', system: text('same name') });
  await must('POST', '/v1/patterns', { name: 'same_text', system: 'The same text on both sides, about {{topic}}.' });
  if (more) await must('POST', '/v1/patterns/same_name/versions', { system: text('one more') });
  await must('PUT', `/v1/patterns/same_name/labels/${mark}_live`, { version: 1 });
  await must('PUT', `/v1/strategies/${mark}_think`, { prompt: `${mark} thinks first.`, description: `${mark} how` });
  await must('PUT', `/v1/patterns/same_name/labels/${second}`, { version: 1 });
  await must('PUT', `/v1/strategies/${second}`, { prompt: `${mark} thinks last.` });
  await must('PUT', '/v1/strategies/same_strategy', { prompt: `${mark} thinks.` });
  for (const name of [`${mark}_facts`, second, 'same_context']) {
    await must('PUT', `/v1/contexts/${name}`, { content: `${mark} sells lamps.` });
  }
  for (const name of [`${mark}_talk`, second, 'same_session']) {
    const turns = [
      { role: 'user', content: `${mark} says hello.` },
      { role: 'assistant', content: `Hello, ${mark}.` },
    ];
    await must('PUT', `/v1/sessions/${name}`, { turns });
  }
  const provider = { base_url: modelUrl, api_key: `sk-${mark}`, models: [{ id: `${mark}-large` }] };
  await must('PUT', `/v1/providers/${mark}_models`, provider);
  await must('PUT', `/v1/providers/${second}`, provider);
  for (const name of [`${mark}_spend`, second]) {
    await must('PUT', `/v1/budgets/${name}`, {
      covers: 'environment',
      of: 'nowhere',
      period: 'month',
      limit_tokens: 1_000,
    });
  }
  for (const name of [`${mark}_clock`, second]) {
    await must('PUT', `/v1/timers/${name}`, {
      cron: '@yearly',
      run: { pattern, input: `${mark} asks`, variables: { topic: mark }, model: `${mark}_models/${mark}-large` },
    });
  }
  // The second of them has more lines that were rejected than a page of one.
  const batches = [];
  for (const input of [`${mark} asks`, `${mark} asks again`]) {
    const items = [{ input, variables: { topic: mark } }, { input: '' }, { input, variables: { [mark]: mark } }];
    const fields = { pattern, items, accept: 'valid', model: `${mark}_models/${mark}-large` };
    const start_at = new Date(Date.now() + 300 * 86_400_000).toISOString();
    batches.push(await must('POST', '/v1/batches', { ...fields, start_at, metadata: { mark } }));
  }
  const batch = batches[0].id;
  const run = await must('POST', '/v1/runs', {
    pattern,
    input: `${mark} asks`,
    variables: { topic: `${mark} topic` },
    model: `${mark}_models/${mark}-large`,
    metadata: { who: mark },
  });
  await must('POST', '/v1/runs', {
    pattern: 'same_name',
    input: mark,
    variables: { topic: mark },
    model: 'openai/x',
    idempotency_key: `${mark}-once`,
    subject: `${mark} himself`,
  });

  const keyNamed = (name: string, role: Role, expires_at?: string) =>
    must('POST', '/v1/keys', { name: `${mark} ${name}`, role, ...(expires_at ? { expires_at } : {}) });
  const roleKeys = await Promise.all(roles.map((role) => keyNamed(role, role)));
  const expiredAt = Date.now() + 1_500;
  const expired = await keyNamed('expired', 'owner', new Date(expiredAt).toISOString());
  const revoked = await keyNamed('revoked', 'owner');
  await must('DELETE', `/v1/keys/${revoked.id}`);
  const all = [...roleKeys, expired, revoked];
  const cursors = Object.fromEntries(
    await Promise.all(
      Object.entries(pagedLists(pattern, `${mark}_talk`, batch)).map(async ([list, path]) => {
        const page = await must('GET', `${path}?limit=1`);
        return [`cursor of ${list}`, page.next ?? 'none'];
      }),
    ),
  );
  return {
    mark,
    workspace,
    owner,
    keys: {
      ...(Object.fromEntries(roles.map((role, i) => [role, roleKeys[i].key])) as Record<Role, string>),
      expired: expired.key,
      revoked: revoked.key,
    },
    expiredAt,
    things: {
      pattern,
      'deleted pattern': `${mark}_deleted`,
      version: 2,
      label: `${mark}_live`,
      key: roleKeys[0].id,
      strategy: `${mark}_think`,
      context: `${mark}_facts`,
      session: `${mark}_talk`,
      provider: `${mark}_models`,
      budget: `${mark}_spend`,
      timer: `${mark}_clock`,
      model: `${mark}_models/${mark}-large`,
      run: run.id,
      batch,
      subject: `${mark} himself`,
      'idempotency key': `${mark}-once`,
      tag: `${mark}-tag`,
      text: mark,
      // What a caller of the other side may make under the same name, without meeting these.
      'other pattern': second,
      'other tree': `${second}_tree`,
      'other label': second,
      'other strategy': second,
      'other context': second,
      'other session': second,
      'other provider': second,
      'other budget': second,
      'other timer': second,
      ...cursors,
    },
    secrets: [
      mark,
      workspace,
      owner,
      made.id,
      hidden.id,
      run.id,
      ...batches.map(({ id }) => id),
      ...all.flatMap((key) => [key.id, key.key, key.prefix]),
    ],
  };
}

/** Lists with pages, by the operation's title. Each has more than one row on both sides. */
function pagedLists(pattern: string, session: string, batch: string): Record<string, string> {
  return {
    'GET /v1/keys': '/v1/keys',
    'GET /v1/patterns': '/v1/patterns',
    'GET /v1/patterns/{pattern}/versions': `/v1/patterns/${pattern}/versions`,
    'GET /v1/patterns/{pattern}/label-moves': `/v1/patterns/${pattern}/label-moves`,
    'GET /v1/exports': '/v1/exports',
    'GET /v1/strategies': '/v1/strategies',
    'GET /v1/contexts': '/v1/contexts',
    'GET /v1/budgets': '/v1/budgets',
    'GET /v1/timers': '/v1/timers',
    'GET /v1/sessions': '/v1/sessions',
    'GET /v1/sessions/{session}/turns': `/v1/sessions/${session}/turns`,
    'GET /v1/runs': '/v1/runs',
    'GET /v1/batches': '/v1/batches',
    'GET /v1/batches/{batch}/errors': `/v1/batches/${batch}/errors`,
  };
}

/** A thing of the same shape that nobody has. */
export function nobodys(side: Side, thing: string | number): string | number {
  if (typeof thing === 'number') return 999_999;
  if (/^[0-9a-f]{8}-/.test(thing)) return randomUUID();
  return thing.replaceAll(side.mark, 'qnoqn');
}
