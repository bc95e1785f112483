import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAuthenticate } from '../server/src/gateway/authenticate.ts';
import { createClientAddress } from '../server/src/gateway/client-address.ts';
import { requirePermission } from '../server/src/gateway/dispatch.ts';
import { createLoadShedding } from '../server/src/gateway/load-shedding.ts';
import { createRequestLimits } from '../server/src/gateway/request-limits.ts';
import { createTokenBuckets } from '../server/src/gateway/token-buckets.ts';
import { hashApiKey, newApiKey } from '../server/src/platform/api-key.ts';
import { everywhere } from '../server/src/platform/call.ts';
import { systemClock as clock } from '../server/src/platform/clock.ts';
import { median, show, table } from './figures.ts';
import { showBounds } from './section.ts';

const times = 100_000;
const rounds = 9;
const mostMicroseconds = 15;
const keys = 1_000;
const plenty = 100_000_000;

/** What the edge does with a request before anything else is done for it, by itself and on real requests. */
export async function measureEdge(say: (text: string) => void): Promise<string> {
  const { held, release } = await holdRequests();
  try {
    const steps = edgeSteps(held.map(({ key }) => key));
    const costs: [name: string, microseconds: number][] = [];
    for (const [name, step] of Object.entries(steps)) {
      say(name);
      costs.push([name, measure(held, step)]);
    }
    const whole = costs.at(-1)?.[1] ?? Number.NaN;
    const bound = {
      what: 'authentication, authorisation and limits of a request',
      bound: `${mostMicroseconds} µs CPU`,
      measured: `${show(whole)} µs`,
      met: whole <= mostMicroseconds,
    };
    return `Microseconds of CPU for one request, over ${keys.toLocaleString('en-US')} keys that ask in turns. The requests are real ones of \`node:http\`.

${showBounds([bound])}

${table(['what', 'µs CPU'], costs)}`;
  } finally {
    release();
  }
}

interface Held {
  readonly key: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

type Step = (held: Held) => void;

function edgeSteps(known: readonly string[]): Record<string, Step> {
  const permissions = new Set(['run:execute', 'run:read', 'self:read'] as const);
  const principals = new Map(
    known.map((key) => {
      const id = clock.uuid();
      const actor = { kind: 'key', id, name: 'bench', role: 'runner', account: clock.uuid() } as const;
      const reach = { ...everywhere, requestsPerMinute: plenty };
      const principal = { workspace: 'bench', actor, permissions, reach };
      return [hashApiKey(key), { principal, expiresAt: Number.POSITIVE_INFINITY }] as const;
    }),
  );
  const addressOf = createClientAddress(['127.0.0.1', '10.0.0.0/8']);
  const authenticate = createAuthenticate({
    principals: { ofKey: (hash) => principals.get(hash), generation: 1 },
    currentAt: () => clock.now(),
    clock,
    addressOf,
  });
  const perMinute = { key_per_minute: plenty, member_per_minute: plenty, workspace_per_minute: plenty };
  const limits = createRequestLimits({
    settings: { ...perMinute, address_per_minute: plenty, workspace_requests: 1_000 },
    clock,
    buckets: createTokenBuckets(),
  });
  const load = createLoadShedding({ clock, concurrency: 4_096, longestLag: 1_000 });
  const limitAll: Step = ({ request, response }) => {
    const caller = authenticate(request);
    limits.admit(caller, response);
  };
  return {
    'the address, behind two trusted proxies': ({ request }) => void addressOf(request),
    'the key, from the header on': ({ request }) => void authenticate(request),
    'the key and limits of key, member and workspace': limitAll,
    'all: address, its limit, load, key, permission, limits, one at once more': ({ request, response }) => {
      limits.arrive(addressOf(request), response);
      load.admit({}, 1);
      const caller = authenticate(request);
      requirePermission(caller, 'run:execute');
      limits.admit(caller, response);
      limits.begin(caller)?.();
    },
  };
}

function measure(held: readonly Held[], step: Step): number {
  const found: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const before = process.cpuUsage();
    for (let count = 0; count < times; count++) step(held[count % held.length] as Held);
    const { user, system } = process.cpuUsage(before);
    // The first round belongs to the compiler.
    if (round > 0) found.push((user + system) / times);
  }
  return median(found);
}

/** Requests that came over a socket and wait for their answer. */
async function holdRequests(): Promise<{ held: readonly Held[]; release: () => void }> {
  const made = Array.from({ length: keys }, () => newApiKey(randomBytes));
  const held: Held[] = [];
  const all = Promise.withResolvers<void>();
  const server = createServer((incoming, response) => {
    held.push({ key: String(incoming.headers.authorization).slice(7), request: incoming, response });
    if (held.length === keys) all.resolve();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  for (const key of made) {
    const headers = {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'idempotency-key': clock.uuid(),
      'x-forwarded-for': '198.51.100.7, 10.1.2.3',
      'user-agent': 'damask-bench',
    };
    const asked = request({ port, host: '127.0.0.1', method: 'POST', path: '/v1/runs', headers });
    asked.on('error', () => undefined);
    asked.end('{}');
  }
  await all.promise;
  return {
    held,
    release() {
      server.closeAllConnections();
      server.close();
    },
  };
}
