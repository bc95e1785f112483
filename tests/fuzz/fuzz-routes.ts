import { pathParameters } from '@damask/contracts/operation.ts';
import fc from 'fast-check';
import { type BrowserForTests, browserForTests } from '../../server/src/gateway/browser-for-tests.ts';
import { type HostilePlatform, startHostilePlatform } from '../hostile-input/hostile-platform.ts';
import { type HttpReply, RawBody } from '../http-client.ts';
import type { Shape } from '../sample-input.ts';
import { fittingValue, nearValue, wildValue } from './schema-values.ts';
import { scimBody } from './scim-bodies.ts';

/** One route as its own OpenAPI description tells it. */
export interface FuzzedRoute {
  readonly title: string;
  /** Sends `count` requests; rejects with the smallest one that was answered wrongly. */
  fuzz(options: { readonly seed: number; readonly count: number }): Promise<void>;
}

interface Described {
  readonly operationId: string;
  readonly 'x-permission': string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: 'path' | 'query' | 'header';
    readonly required: boolean;
    readonly schema: Shape;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Shape }>> };
}

interface Made {
  readonly path: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly header: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

/** The calling session itself would end. */
const leftOut = new Set(['signOut', 'DELETE /v1/login']);
/** They ask others, who may take their time. */
const askOthers = /\/(test|git|identity-providers\/\{identity_provider\})$|^GET \/login\/oidc/;
const longest = 2_000;
const methods = ['get', 'post', 'put', 'patch', 'delete'];

export interface Fuzzing {
  readonly hostile: HostilePlatform;
  readonly routes: readonly FuzzedRoute[];
  /** What was logged as an error since the last call. */
  takeErrors(): unknown[];
  stop(): Promise<void>;
}

/** A platform with one of each thing, and all of its routes; what reads comes first, what deletes last. */
export async function startFuzzing(): Promise<Fuzzing> {
  const hostile = await startHostilePlatform();
  const browser = await browserForTests(hostile.platform);
  const things = await makeThings(hostile).catch(async (error: unknown) => {
    await hostile.stop();
    throw error;
  });
  const { body: document } = await hostile.send('GET', '/openapi.json', { key: null });
  const described = Object.entries(document.paths as Record<string, Record<string, Described>>).flatMap(
    ([path, operations]) => Object.entries(operations).map(([method, operation]) => ({ path, method, operation })),
  );
  const routes = described
    .filter(({ path, method }) => !leftOut.has(`${method.toUpperCase()} ${path}`))
    .sort((one, other) => methods.indexOf(one.method) - methods.indexOf(other.method))
    .map(({ path, method, operation }) => routeOf({ hostile, browser, things }, method.toUpperCase(), path, operation));
  let seen = 0;
  return {
    hostile,
    routes,
    takeErrors() {
      const errors = hostile.platform.logged.slice(seen).filter(({ level }) => level === 'error');
      seen = hostile.platform.logged.length;
      return errors;
    },
    stop: () => hostile.stop(),
  };
}

interface World {
  readonly hostile: HostilePlatform;
  readonly browser: BrowserForTests;
  /** What fills the parameters of paths, by their names. */
  readonly things: Readonly<Record<string, unknown>>;
}

/** What a hostile platform has not by itself. */
async function makeThings(hostile: HostilePlatform): Promise<Record<string, unknown>> {
  const made = async (method: string, path: string, body: unknown) => {
    const reply = await hostile.send(method, path, { body });
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.text}`);
    return reply.body;
  };
  const scim = (value: object) => new RawBody('application/scim+json', Buffer.from(JSON.stringify(value)));
  const run = { pattern: 'plain', input: 'hello', model: 'openai/test' };
  await made('PUT', '/v1/teams/crew', {});
  await made('PUT', '/v1/roles/auditor', { permissions: ['run:read'] });
  await made('PUT', '/v1/budgets/all', {
    covers: 'pattern',
    of: 'plain',
    period: 'day',
    limit_tokens: 1_000_000_000,
  });
  await made('PUT', '/v1/timers/yearly', { cron: '@yearly', run });
  const batch = await made('POST', '/v1/batches', {
    pattern: 'plain',
    model: 'openai/test',
    items: [{ input: 'hello' }],
  });
  const user = await made('POST', '/scim/v2/Users', scim({ userName: 'somebody' }));
  const group = await made('POST', '/scim/v2/Groups', scim({ displayName: 'some people' }));
  const { id: invitation } = await made('POST', '/v1/invitations', { role: 'viewer' });
  const named = { invitation, team: 'crew', custom_role: 'auditor', budget: 'all', timer: 'yearly' };
  return { ...named, batch: batch.id, user: user.id, group: group.id, member: user.id };
}

function routeOf(world: World, method: string, path: string, operation: Described): FuzzedRoute {
  const title = `${method} ${path}`;
  const { hostile } = world;
  const contract = hostile.operations.find((one) => one.method === method && one.path === path);
  const inPath = Object.fromEntries(pathParameters(path).map((name) => [name, world.things[name]]));
  const valid = contract ? hostile.validInput(contract) : {};
  const known = { model: 'openai/test', ...valid, ...JSON.parse(JSON.stringify(inPath)) };
  const parameters = operation.parameters ?? [];
  const place = (where: 'path' | 'query' | 'header') =>
    fieldsOf(
      parameters
        .filter((one) => one.in === where)
        .map(({ name, schema, required }) => ({ name, shape: schema, required, known: known[name] })),
    );
  const request: fc.Arbitrary<Made> = fc.record({
    path: place('path'),
    query: place('query'),
    header: place('header'),
    body: bodyOf(operation, known),
  });
  return {
    title,
    fuzz: ({ seed, count }) =>
      fc.assert(
        fc.asyncProperty(request, async (made) => {
          const fault = await faultOf(world, title, operation, made);
          if (fault) throw new Error(`${title}: ${fault}`);
        }),
        { seed, numRuns: count, endOnFailure: false, interruptAfterTimeLimit: 60_000 },
      ),
  };
}

interface Field {
  readonly name: string;
  readonly shape: Shape;
  readonly required: boolean;
  readonly known: unknown;
}

/** Fields that fit, few of the optional ones; in two of five cases one of them is next to what fits, or anything. */
function fieldsOf(fields: readonly Field[]): fc.Arbitrary<Record<string, unknown>> {
  const good = fc.record(
    Object.fromEntries(
      fields.map(({ name, shape, required, known }) => {
        const fits = fc.oneof(
          { weight: known === undefined ? 0 : 4, arbitrary: fc.constant(known) },
          { weight: 1, arbitrary: fittingValue(shape) },
        );
        return [
          name,
          required ? fits : fc.oneof({ weight: 5, arbitrary: fc.constant(leftAway) }, { weight: 1, arbitrary: fits }),
        ];
      }),
    ),
  );
  const bad = fields.map(({ name, shape }) =>
    fc.oneof(nearValue(shape), wildValue, fc.constant(leftAway)).map((value) => ({ [name]: value })),
  );
  const spoilt = fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    { weight: bad.length > 0 ? 2 : 0, arbitrary: fc.oneof(fc.constant({}), ...bad) },
  );
  return fc
    .tuple(good, spoilt)
    .map(([fitting, other]) =>
      Object.fromEntries(Object.entries({ ...fitting, ...other }).filter(([, value]) => value !== leftAway)),
    );
}

const leftAway = Symbol('left away');

function bodyOf({ requestBody }: Described, known: Readonly<Record<string, unknown>>): fc.Arbitrary<unknown> {
  const [type, content] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  if (type === undefined) return fc.constant(undefined);
  if (type.endsWith('scim+json')) return scimBody.map((value) => new RawBody(type, Buffer.from(JSON.stringify(value))));
  const shape = content?.schema;
  if (!shape) return fc.uint8Array({ maxLength: 600 }).map((bytes) => new RawBody(type, Buffer.from(bytes)));
  const { properties = {}, required = [] } = shape;
  const fields = Object.entries(properties).map(([name, field]) => ({
    name,
    shape: field,
    required: required.includes(name),
    known: known[name],
  }));
  return fc.oneof(
    { weight: 12, arbitrary: fieldsOf(fields) },
    { weight: 1, arbitrary: nearValue(shape) },
    { weight: 1, arbitrary: wildValue },
  );
}

async function faultOf(
  { hostile, browser }: World,
  title: string,
  operation: Described,
  { path, query, header, body }: Made,
): Promise<string | undefined> {
  const [method = '', template = ''] = title.split(' ');
  const address = pathParameters(template).reduce(
    (text, name) => text.replace(`{${name}}`, () => asText(path[name]) || '%20'),
    template,
  );
  const fields = Object.entries(query).map(([name, value]) => `${name}=${asText(value)}`);
  const cookie = operation['x-permission'] === 'account';
  const headers = [
    ...Object.entries(header).map(([name, value]) => [
      name,
      String(value)
        .replace(/[^\x20-\x7e]/g, '?')
        .slice(0, 300),
    ]),
    ...(cookie
      ? [
          ['cookie', browser.cookie()],
          ['damask-csrf', browser.csrf()],
          ['sec-fetch-site', 'same-origin'],
        ]
      : []),
  ] as [string, string][];
  const target = `${address}${fields.length > 0 ? `?${fields.join('&')}` : ''}`;
  const key = cookie ? { key: null } : {};
  let reply: HttpReply | undefined;
  let took = Number.POSITIVE_INFINITY;
  // A machine that is busy with other tests is slow once; what hangs does so again.
  for (let tries = 0; tries < 3 && took > longest; tries++) {
    const begun = performance.now();
    try {
      reply = await hostile.send(method, target, { ...key, headers, body, signal: AbortSignal.timeout(20_000) });
    } catch (error) {
      return `no answer: ${(error as Error).message}`;
    }
    if (reply.status >= 500) return `${reply.status} ${reply.text.slice(0, 300)}`;
    took = askOthers.test(title) ? 0 : performance.now() - begun;
  }
  if (!reply || took > longest) return `it took ${Math.round(took)} ms`;
  if (reply.status < 400) return undefined;
  const { body: problem } = reply;
  if (typeof problem?.detail !== 'string' || problem.detail.length > 2_000) return `a poor refusal: ${reply.text}`;
  return /\n\s+at |node:internal|\bundefined\b is not|\/server\/src\//.test(reply.text)
    ? `it tells too much: ${reply.text}`
    : undefined;
}

/** Of lone surrogates there is no encoding in an address. */
function asText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return encodeURIComponent(text.toWellFormed()).slice(0, 3_000);
}
