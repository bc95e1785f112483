import assert from 'node:assert/strict';
import type { Operation } from '@damask/contracts/operation.ts';
import { serviceOperations } from '@damask/contracts/services.ts';
import pg from 'pg';
import { type ModelServer, type Script, startModelServer } from '../../server/src/platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../server/src/testing/test-platform.ts';
import { createHttpClient, type HttpClient, type HttpReply, type SendOptions } from '../http-client.ts';
import { type Input, type SplitInput, sampleInput, toRequest } from '../sample-input.ts';

export interface HostilePlatform {
  readonly url: string;
  readonly platform: TestPlatform;
  readonly model: ModelServer;
  readonly key: string;
  readonly operations: readonly Operation[];
  /** Headers of somebody who signed in, where an operation takes no key. */
  peopleFor(method: string, path: string): readonly (readonly [string, string])[] | undefined;
  /** What the model does with the next calls; it says hello unless told. */
  script: Script | undefined;
  /** As owner, unless told: with a key, or signed in where a key is none. */
  send(method: string, path: string, options?: SendOptions): Promise<HttpReply>;
  /** Input that an operation accepts, with things that exist; for reading and for refusing. */
  validInput(operation: Operation): Record<string, unknown>;
  /** Path and body of `validInput` with some fields replaced. */
  request(operation: Operation, fields?: Input): SplitInput;
  /** Runs the attack, and fails when it left anything behind, logged an error or hurt the next caller. */
  leavesNothing(attack: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

// Written behind the changes, by the sequencer.
const sealed = ['identity.audit_entry', 'identity.audit_head', 'identity.audit_checkpoint'];
/** Operations whose calls are noted although they change nothing. */
const reads = Object.values(serviceOperations)
  .flatMap((operations) => Object.entries<Operation>(operations))
  .flatMap(([name, { audited }]) => (audited ? [`'${name}'`] : []))
  .join(', ');
const heads = ['Host: localhost', 'Content-Type: application/json'];

/** A platform with one of each thing, to be attacked. */
export async function startHostilePlatform(): Promise<HostilePlatform> {
  const given: { script: Script | undefined } = { script: undefined };
  const model = await startModelServer((call, answer) =>
    (given.script ?? ((_, hello) => hello.say('Hello.')))(call, answer),
  );
  const platform = await startTestPlatform({
    modelUrl: model.url,
    environment: { DAMASK_EGRESS_ALLOW: new URL(model.url).host },
  });
  const key = platform.alpha.ownerKey;
  const client: HttpClient = createHttpClient(platform.url);
  const pool = new pg.Pool({ ...platform.connection, max: 1 });
  pool.on('error', () => undefined);
  let signedIn: readonly (readonly [string, string])[] = [];
  const peopleFor: HostilePlatform['peopleFor'] = (method, path) => {
    const match = platform.gateway.routes.find(path.split('?')[0] as string);
    const people = match?.methods.get(method as Operation['method'])?.operation.permission === 'account';
    return people ? signedIn : undefined;
  };
  const send: HostilePlatform['send'] = (method, path, options = {}) => {
    const people = options.key === undefined ? peopleFor(method, path) : undefined;
    return people
      ? client.send(method, path, { ...options, headers: [...people, ...(options.headers ?? [])] })
      : client.send(method, path, { key, ...options });
  };
  const made = async (method: string, path: string, body: unknown) => {
    const reply = await send(method, path, { body });
    assert.ok(reply.status < 300, `${method} ${path}: ${reply.text}`);
    return reply.body;
  };
  await made('POST', '/v1/patterns', { name: 'greet', system: 'Greet {{name}} kindly.' });
  await made('POST', '/v1/patterns', { name: 'plain', system: 'Say hello.' });
  await made('PUT', '/v1/patterns/greet/labels/live', { version: 1 });
  await made('PUT', '/v1/strategies/calm', { prompt: 'Be calm.' });
  await made('PUT', '/v1/contexts/facts', { content: 'We sell lamps.' });
  await made('PUT', '/v1/sessions/talk', { turns: [{ role: 'user', content: 'Hello.' }] });
  await made('PUT', '/v1/providers/mine', { base_url: model.url, models: [{ id: 'large' }] });
  const { url: link } = await made('POST', '/v1/login-links', {});
  signedIn = await signIn(client, String(link).split('#link=')[1] as string);
  const viewer = await made('POST', '/v1/keys', { name: 'viewer', role: 'viewer' });
  const run = await made('POST', '/v1/runs', { pattern: 'plain', input: 'hello', model: 'openai/test' });
  const things = {
    pattern: 'plain',
    version: 1,
    label: 'live',
    key: viewer.id,
    strategy: 'calm',
    context: 'facts',
    session: 'talk',
    provider: 'mine',
    run: run.id,
    base_url: model.url,
    role: 'viewer',
    files: [{ path: 'patterns/sample/system.md', content: 'Sample.' }],
  };

  const countRows = async (): Promise<Record<string, number>> => {
    const { rows: tables } = await pool.query<{ name: string }>(
      `select n.nspname || '.' || c.relname as name from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and not c.relispartition and n.nspname in ('identity', 'pattern')
          and n.nspname || '.' || c.relname <> all($1)`,
      [sealed],
    );
    const sums = tables.map(({ name }) => {
      // What was refused, and who read the log, is noted some seconds later.
      const done = name === 'identity.audit' ? `where outcome = 'done' and action not in (${reads})` : '';
      return `select '${name}' as name, count(*)::int as count from ${name} ${done}`;
    });
    const { rows } = await pool.query<{ name: string; count: number }>(`${sums.join(' union all ')} order by name`);
    return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
  };
  const validInput = (operation: Operation): Record<string, unknown> => {
    const { properties } = operation.input;
    return {
      ...sampleInput(operation, things),
      ...('system' in properties ? { system: 'Sample.' } : {}),
    };
  };
  return {
    url: platform.url,
    platform,
    model,
    key,
    operations: platform.gateway.routes.all.map(({ operation }) => operation),
    peopleFor,
    get script() {
      return given.script;
    },
    set script(script) {
      given.script = script;
    },
    send,
    validInput,
    request: (operation, fields = {}) => toRequest(operation, { ...validInput(operation), ...fields }),
    async leavesNothing(attack) {
      const before = await countRows();
      const errors = () => platform.logged.filter((line) => line.level === 'error');
      const logged = errors().length;
      const calls = model.calls.length;
      await attack();
      assert.deepEqual(await countRows(), before, 'something was stored');
      assert.equal(model.calls.length, calls, 'the model was called');
      assert.deepEqual(errors().slice(logged), [], 'an error was logged');
      const health = await send('GET', '/v1/patterns/plain');
      assert.equal(health.status, 200, `the next caller was hurt: ${health.text}`);
    },
    async stop() {
      client.close();
      await pool.end();
      await platform.stop();
      await model.close();
    },
  };
}

/** Headers of a browser that has signed in. */
async function signIn(client: HttpClient, link: string): Promise<(readonly [string, string])[]> {
  const entered = await client.send('POST', '/v1/login/link', { body: { link } });
  const [, set = ''] = entered.headers.find(([name]) => name === 'set-cookie') ?? [];
  const cookie = ['Cookie', set.split(';')[0] as string] as const;
  const login = await client.send('GET', '/v1/login', { headers: [cookie] });
  assert.equal(login.status, 200, login.text);
  return [cookie, ['Sec-Fetch-Site', 'same-origin'], ['Damask-CSRF', login.body.csrf]];
}

/** Head and body of a request as bytes, with the owner's key. */
export function rawRequest(
  hostile: Pick<HostilePlatform, 'key'> & Partial<Pick<HostilePlatform, 'peopleFor'>>,
  line: string,
  headers: readonly string[] = [],
  body = '',
): string {
  const [method = '', path = ''] = line.split(' ');
  const people = hostile.peopleFor?.(method, path);
  const who = people?.map(([name, value]) => `${name}: ${value}`) ?? [`Authorization: Bearer ${hostile.key}`];
  const all = [...heads, ...who, ...headers];
  return `${line} HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n${body}`;
}

/** What an answer to bad input must look like, whatever it says; a sentence about what does not, or undefined. */
export function faultOfRefusal(reply: Pick<HttpReply, 'status' | 'body'>, expected: Expected): string | undefined {
  const { status, code, pointer } = expected;
  const seen = `${reply.status} ${reply.body?.code ?? ''} ${reply.body?.pointer ?? ''}`.trim();
  const meant = `${status} ${code} ${pointer ?? ''}`.trim();
  if (reply.status !== status || reply.body?.code !== code) return `expected ${meant}, got ${seen}`;
  if (pointer !== undefined && reply.body.pointer !== pointer) return `expected ${meant}, got ${seen}`;
  if (typeof reply.body.detail !== 'string' || reply.body.detail.length > 2_000) return `a poor detail: ${seen}`;
  if (typeof reply.body.request_id !== 'string') return 'no request id';
  return undefined;
}

export interface Expected {
  readonly status: number;
  readonly code: string;
  readonly pointer?: string;
}
