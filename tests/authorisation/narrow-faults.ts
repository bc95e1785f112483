import type { Operation } from '@damask/contracts/operation.ts';
import { serviceOperations } from '@damask/contracts/services.ts';
import { everywhere } from '../../server/src/platform/call.ts';
import { reachRules } from '../../server/src/services/pattern/reach/reach-rules.ts';
import { titleOf } from '../sample-input.ts';
import { type AnyCall, behindGateway, replaceCall } from './behind-gateway.ts';
import { requestFor } from './matrix-cases.ts';
import type { Fault } from './planted-faults.ts';
import type { TwoWorkspaces } from './two-workspaces.ts';

/** Keys of alpha that hold less than their roles. */
export interface NarrowKeys {
  /** Reads runs, and nothing else. */
  readonly scoped: string;
  /** Reaches no pattern that there is. */
  readonly patterned: string;
  /** Reaches no environment that there is. */
  readonly environed: string;
}

export async function makeNarrowKeys(world: TwoWorkspaces): Promise<NarrowKeys> {
  const make = async (more: object): Promise<string> => {
    const body = { name: 'narrow', role: 'admin', ...more };
    const reply = await world.send('POST', '/v1/keys', { key: world.alpha.owner, body });
    if (reply.status !== 201) throw new Error(reply.text);
    return reply.body.key;
  };
  return {
    scoped: await make({ scopes: ['run:read'] }),
    patterned: await make({ patterns: ['nothing_else'] }),
    environed: await make({ environments: ['nowhere'] }),
  };
}

const operations: Readonly<Record<string, Operation>> = serviceOperations.pattern;

/** Each operation that looks at what a key reaches, not looking. */
export function reachFaults(keys: NarrowKeys): Fault[] {
  const looking = Object.entries(reachRules).filter(([, rule]) => rule !== 'free');
  return looking.map(([name, rule]) => {
    const operation = operations[name] as Operation;
    const blind =
      (real: AnyCall): AnyCall =>
      (context, input) =>
        real({ ...context, reach: everywhere }, input);
    return {
      name: `${titleOf(operation)} does not look at what a key reaches`,
      catch: (given) =>
        behindGateway(given, { clients: replaceCall(given, 'pattern', name, blind) }, (world) =>
          beyondReach(world, operation, keys.patterned, rule === 'lists'),
        ),
    };
  });
}

/** What is wrong when a key that reaches nothing asks an operation about what is there. */
export async function beyondReach(
  world: TwoWorkspaces,
  operation: Operation,
  key: string,
  lists = false,
): Promise<string[]> {
  const { path, body } = await requestFor(world, operation, 'owner');
  const reply = await world.send(operation.method, path, { key, body });
  const refused = reply.status === 404 || (reply.status === 403 && /^(reach|environments):/.test(reply.body.need));
  if (lists ? reply.body?.items?.length === 0 : refused) return [];
  return [`${titleOf(operation)} beyond reach: ${reply.status}`];
}

/** Operations that change a pattern, and so are its team's alone. */
export const ofTeams = [
  'publishVersion',
  'setLabel',
  'removeLabel',
  'deprecatePattern',
  'liftDeprecation',
  'deletePattern',
];

/** Each operation that changes a pattern, taking somebody for a member of the team that owns it. */
export function teamFaults(): Fault[] {
  return ofTeams.map((name) => {
    const operation = operations[name] as Operation;
    return {
      name: `${titleOf(operation)} does not look at the team of its pattern`,
      catch: (given) => {
        const joined =
          (real: AnyCall): AnyCall =>
          (context, input) =>
            real({ ...context, reach: { ...context.reach, teams: [String(given.alpha.things.team)] } }, input);
        return behindGateway(given, { clients: replaceCall(given, 'pattern', name, joined) }, (world) =>
          ofAnotherTeam(world, operation),
        );
      },
    };
  });
}

/** What is wrong when an author changes a pattern that belongs to a team of others. */
export async function ofAnotherTeam(world: TwoWorkspaces, operation: Operation): Promise<string[]> {
  const { alpha } = world;
  const { path, body } = await requestFor(world, operation, 'owner');
  const [, pattern = ''] = /^\/v1\/patterns\/([^/]+)/.exec(path) ?? [];
  const owned = await world.send('PUT', `/v1/patterns/${pattern}/team`, {
    key: alpha.owner,
    body: { team: alpha.things.team },
  });
  if (owned.status !== 200) throw new Error(owned.text);
  const reply = await world.send(operation.method, path, { key: alpha.keys.author, body });
  const right = reply.status === 403 && reply.body.need === `team:${alpha.things.team}`;
  return right ? [] : [`${titleOf(operation)} of a team's pattern: ${reply.status} ${reply.body?.need ?? ''}`];
}

/** Keys as the edge would hold them had it lost what narrows them. */
export function narrowKeyFaults(keys: NarrowKeys): Fault[] {
  const lose = (column: string): Fault => ({
    name: `the ${column} of keys are not read`,
    catch: (given) => {
      const forgetting =
        (real: AnyCall): AnyCall =>
        async (context, input) => {
          const page = (await real(context, input)) as { items: Record<string, unknown>[] };
          return { ...page, items: page.items.map(({ [column]: _, ...row }) => row) };
        };
      return behindGateway(given, { clients: replaceCall(given, 'identity', 'readKeyTable', forgetting) }, (world) =>
        narrowness(world, keys),
      );
    },
  });
  return ['scopes', 'patterns', 'environments'].map(lose);
}

/** What is wrong with what narrowed keys are answered; each is asked a few things that it must not do. */
export async function narrowness(world: TwoWorkspaces, keys: NarrowKeys): Promise<string[]> {
  const run = { pattern: world.alpha.things.pattern, input: 'x', model: 'openai/x' };
  const asked = [
    [keys.scoped, 'POST', '/v1/runs', run, 403],
    [keys.scoped, 'GET', '/v1/keys', undefined, 403],
    [keys.scoped, 'GET', '/v1/me', undefined, 403],
    [keys.patterned, 'POST', '/v1/runs', run, 404],
    [keys.patterned, 'GET', `/v1/patterns/${run.pattern}`, undefined, 404],
    [keys.environed, 'POST', '/v1/runs', run, 403],
    [keys.environed, 'GET', `/v1/runs/${world.alpha.things.run}`, undefined, 404],
  ] as const;
  const wrong: string[] = [];
  for (const [key, method, path, body, expected] of asked) {
    const { status } = await world.send(method, path, { key, body });
    if (status !== expected) wrong.push(`${method} ${path}: expected ${expected}, got ${status}`);
  }
  return wrong;
}
