import { setTimeout as sleep } from 'node:timers/promises';
import type { Operation } from '@damask/contracts/operation.ts';
import type { HttpReply, SendOptions } from '../http-client.ts';
import { sampleInput, titleOf, toRequest } from '../sample-input.ts';
import type { Row } from './read-table.ts';
import { foreignTarget, targetOf, thingsByField } from './targets.ts';
import type { TwoWorkspaces } from './two-workspaces.ts';

/** One question with one right answer. */
export interface Case {
  readonly name: string;
  /** Title of the operation. */
  readonly operation: string;
  /** What is wrong, or null. */
  check(): Promise<string | null>;
}

type Ask = (world: TwoWorkspaces, method: string, path: string, body: SendOptions['body']) => Promise<HttpReply>;

const withKey =
  (keyOf: (world: TwoWorkspaces) => string): Ask =>
  (world, method, path, body) =>
    world.send(method, path, { key: keyOf(world), body });
const withBadKey =
  (keyOf: (world: TwoWorkspaces) => string): Ask =>
  (world, method, path, body) =>
    world.sendBad(method, path, { key: keyOf(world), body });

/** Who asks, by the column of `authorisation.csv`. */
export const credentials: Readonly<Record<string, Ask>> = {
  none: (world, method, path, body) => world.send(method, path, { body }),
  garbage: withBadKey((world) => `${world.alpha.owner.slice(0, -6)}aaaaaa`),
  expired: async (world, method, path, body) => {
    await sleep(Math.max(0, world.alpha.expiredAt + 1 - Date.now()));
    return world.sendBad(method, path, { key: world.alpha.keys.expired, body });
  },
  revoked: withBadKey((world) => world.alpha.keys.revoked),
  two: (world, method, path, body) =>
    world.send(method, path, {
      key: world.alpha.owner,
      headers: [['Authorization', `Bearer ${world.alpha.keys.admin}`]],
      body,
    }),
  foreign: withKey((world) => world.alpha.owner),
  viewer: withKey((world) => world.alpha.keys.viewer),
  runner: withKey((world) => world.alpha.keys.runner),
  author: withKey((world) => world.alpha.keys.author),
  operator: withKey((world) => world.alpha.keys.operator),
  admin: withKey((world) => world.alpha.keys.admin),
  owner: withKey((world) => world.alpha.keys.owner),
};

/** Every live operation with every credential. The foreign caller is alpha's owner, who names beta's things. */
export function matrixCases(world: TwoWorkspaces, table: readonly Row[]): Case[] {
  const expected = new Map(table.map((row) => [`${row.method} ${row.path}`, row]));
  return world.gateway.routes.all.flatMap(({ operation }) => {
    const title = titleOf(operation);
    return Object.entries(credentials).map(([credential, ask]) => ({
      name: `${title} as ${credential}`,
      operation: title,
      check: async () => {
        const { path, body } = await requestFor(world, operation, credential);
        const reply = await ask(world, operation.method, path, body);
        return judge(reply, expected.get(title)?.[credential]);
      },
    }));
  });
}

/** Path and body with which an operation is asked: with fresh things of its own, or with those of the other workspace. */
export async function requestFor(world: TwoWorkspaces, operation: Operation, credential: string) {
  const foreign = credential === 'foreign';
  const own = foreign ? await foreignTarget(world, operation, world.beta) : await targetOf(world, operation);
  const named = thingsByField(foreign ? world.beta : world.alpha);
  const known = { ...named, ...own };
  const input = { ...sampleInput(operation, known), ...pick(known, operation) };
  return toRequest(operation, input);
}

/** Of optional fields only those that the target sets on purpose. */
function pick(known: Readonly<Record<string, unknown>>, operation: Operation): Record<string, unknown> {
  const wanted = ['system', 'variables', 'model', 'files', 'of', 'limit_tokens', 'items', 'start_at', 'since'].filter(
    (name) => name in operation.input.properties,
  );
  return Object.fromEntries(wanted.filter((name) => name in known).map((name) => [name, known[name]]));
}

const codeOf: Readonly<Record<string, string>> = {
  400: 'two_credentials',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  // Let through, and then refused by the egress guard.
  422: 'egress_denied',
};

function judge(reply: HttpReply, expected: string | undefined): string | null {
  if (expected === undefined) return 'it is not in authorisation.csv';
  if (String(reply.status) !== expected) {
    return `expected ${expected}, got ${reply.status} ${String(reply.body?.code ?? '')}`.trimEnd();
  }
  if (reply.status < 400) return null;
  // Nobody has the passkey; whoever asks is told the same.
  const refused = reply.body.code === 'sign_in_refused' && expected === '401';
  if (reply.body.code !== codeOf[expected] && !refused)
    return `expected the code ${codeOf[expected]}, got ${reply.body.code}`;
  return reply.status === 403 && !reply.body.need ? 'the missing permission is not named' : null;
}

/** Asks all cases, `parallel` at a time. Answers what is wrong, one sentence each. */
export async function failuresOf(cases: readonly Case[], world: TwoWorkspaces, parallel = 8): Promise<string[]> {
  const failures: string[] = [];
  const waiting = [...cases];
  world.takeLeaks();
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const wrong = await next.check().catch((error: unknown) => `threw ${(error as Error).message}`);
      if (wrong !== null) failures.push(`${next.name}: ${wrong}`);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return [...failures, ...world.takeLeaks()];
}
