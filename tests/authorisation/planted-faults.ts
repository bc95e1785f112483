import type { identityOperations } from '@damask/contracts/identity.ts';
import type { Operation } from '@damask/contracts/operation.ts';
import { hashApiKey } from '../../server/src/platform/api-key.ts';
import type { Client } from '../../server/src/platform/call.ts';
import { titleOf } from '../sample-input.ts';
import { type AnyCall, behindGateway, type Clients } from './behind-gateway.ts';
import { fieldCases } from './field-cases.ts';
import { type Case, failuresOf, matrixCases } from './matrix-cases.ts';
import { readTable } from './read-table.ts';
import { checksumOf, rowCases } from './row-cases.ts';
import type { TwoWorkspaces } from './two-workspaces.ts';

/** One check that somebody could forget, and the cases that must notice. */
export interface Fault {
  readonly name: string;
  /** Puts the fault in place, asks, and takes it away again. Answers what went red. */
  catch(world: TwoWorkspaces): Promise<string[]>;
}

const matrixTable = readTable('authorisation.csv');
const fieldTable = readTable('fields.csv');

/** All cases of the edge that name an operation. */
function casesAbout(world: TwoWorkspaces, operations: ReadonlySet<string>): Case[] {
  return [...matrixCases(world, matrixTable), ...fieldCases(world, fieldTable)].filter((one) =>
    operations.has(one.operation),
  );
}

// Who is no person, or no whole owner, is refused by these operations themselves, too: one check gone does not show.
const askAgain = new Set<string>(['account', 'login-link:write']);

/** Each permission check removed: once so that every role passes, once so that nobody is asked for a key. */
export function permissionFaults(operations: readonly Operation[]): Fault[] {
  return operations
    .filter((operation) => operation.permission !== 'public')
    .flatMap((operation) => {
      const title = titleOf(operation);
      const row = matrixTable.find((candidate) => `${candidate.method} ${candidate.path}` === title);
      const shows = !askAgain.has(operation.permission) && Object.values(row ?? {}).includes('403');
      const weakest = shows ? (['self:read'] as const) : [];
      return [...weakest, 'public' as const].map((permission) => ({
        name: `${title} asks for ${permission} only`,
        catch: (world: TwoWorkspaces) =>
          behindGateway(
            world,
            {
              permissionOf: (asked) =>
                asked.path === operation.path && asked.method === operation.method ? permission : asked.permission,
            },
            (planted) =>
              failuresOf(
                matrixCases(planted, matrixTable).filter((one) => one.operation === title),
                planted,
              ),
          ),
      }));
    });
}

const ofNoWorkspace = /^\/scim\/v2\/(ServiceProviderConfig|ResourceTypes|Schemas)|^\/v1\/(egress|evidence\/program)/;

/** Each operation answering for the other workspace: the caller's own is lost on the way. */
export function workspaceFaults(world: TwoWorkspaces): Fault[] {
  // The guard lets no import from git out of this world: import-git.test.ts looks into whose workspace one goes.
  const routes = world.gateway.routes.all
    .filter(({ service, name }) => service !== 'gateway' && name !== 'importGit')
    // What belongs to a person is asked in no workspace; what SCIM is, what the server may call, and what it is made of, says nothing of any.
    .filter(({ operation }) => operation.permission !== 'account' && !ofNoWorkspace.test(operation.path));
  return routes.map(({ service, name, operation }) => ({
    name: `${titleOf(operation)} serves another workspace than the caller's`,
    catch: async (given) => {
      const clients = given.platform.clients as unknown as Clients;
      const real = clients[service]?.[name] as AnyCall;
      const lost: AnyCall = (context, input) => real({ ...context, workspace: given.beta.workspace }, input);
      const planted = { ...clients, [service]: { ...clients[service], [name]: lost } };
      const before = await checksumOf(given, given.beta.workspace);
      const failures = await behindGateway(given, { clients: planted }, (at) =>
        failuresOf(casesAbout(at, new Set([titleOf(operation)])), at),
      );
      return [...failures, ...changedRows(before, await checksumOf(given, given.beta.workspace))];
    },
  }));
}

/** Keys that authentication must not take any more, taken. */
export function keyFaults(): Fault[] {
  const accept = (column: 'expired' | 'revoked', titles: readonly string[]): Fault => ({
    name: `${column} keys are accepted`,
    catch: (world) =>
      behindGateway(world, { clients: withKey(world, world.alpha.keys[column], world.alpha.workspace) }, (planted) =>
        failuresOf(
          matrixCases(planted, matrixTable).filter((one) =>
            titles.some((title) => one.name === `${title} as ${column}`),
          ),
          planted,
        ),
      ),
  });
  const swapped: Fault = {
    name: 'a key opens another workspace than its own',
    catch: (world) =>
      behindGateway(world, { clients: withKey(world, world.alpha.keys.owner, world.beta.workspace) }, (planted) =>
        failuresOf(
          matrixCases(planted, matrixTable).filter((one) => /^GET .* as owner$/.test(one.name)),
          planted,
        ),
      ),
  };
  const titles = ['GET /v1/me', 'GET /v1/runs', 'POST /v1/render'];
  return [accept('expired', titles), accept('revoked', titles), swapped];
}

function withKey(world: TwoWorkspaces, key: string, workspace: string): Clients {
  const clients = world.platform.clients as unknown as Clients;
  const identity = clients.identity as unknown as Client<typeof identityOperations>;
  const row = { id: workspace, workspace, name: 'planted', role: 'owner' as const, hash: hashApiKey(key) };
  const readKeyTable: typeof identity.readKeyTable = async (context, input) => {
    const page = await identity.readKeyTable(context, input);
    return page.next ? page : { items: [...page.items, { ...row, expires_at: null }] };
  };
  return { ...clients, identity: { ...identity, readKeyTable } };
}

/** Row-level security taken off each table, and each of its policies opened to all rows. */
export async function rowFaults(world: TwoWorkspaces): Promise<Fault[]> {
  const policies = await world.sql<{ table: string; policy: string; checks: boolean; reads: boolean }>(
    `select schemaname || '.' || tablename as table, policyname as policy, with_check is not null as checks,
        qual is not null as reads
       from pg_policies where schemaname in ('identity', 'pattern') and tablename <> 'instance' order by 1, 2`,
  );
  const tables = [...new Set(policies.map((row) => row.table))];
  const edge = (world: TwoWorkspaces) =>
    fieldCases(world, fieldTable).filter((one) => one.operation.startsWith('GET') || one.operation.includes('/render'));
  const fault = (name: string, table: string, plant: string, remove: string): Fault => ({
    name,
    catch: async (given) => {
      await given.sql(plant);
      try {
        const rows = (await rowCases(given)).filter((one) => one.operation === table);
        const seen = await failuresOf(edge(given), given);
        return [...(await failuresOf(rows, given)), ...seen];
      } finally {
        await given.sql(remove);
      }
    },
  });
  return [
    ...tables.map((table) =>
      fault(
        `${table} has no row-level security`,
        table,
        `alter table ${table} disable row level security`,
        `alter table ${table} enable row level security`,
      ),
    ),
    ...(await Promise.all(
      policies.map(async ({ table, policy, checks, reads }) => {
        const open = [reads ? 'using (true)' : '', checks ? 'with check (true)' : ''].join(' ');
        const closed = await policyText(world, table, policy);
        return fault(
          `the policy ${policy} of ${table} lets all rows through`,
          table,
          `alter policy ${policy} on ${table} ${open}`,
          `alter policy ${policy} on ${table} ${closed}`,
        );
      }),
    )),
  ];
}

async function policyText(world: TwoWorkspaces, table: string, policy: string): Promise<string> {
  const [row] = await world.sql<{ qual: string | null; with_check: string | null }>(
    `select qual, with_check from pg_policies where schemaname || '.' || tablename = $1 and policyname = $2`,
    [table, policy],
  );
  return [row?.qual ? `using (${row.qual})` : '', row?.with_check ? `with check (${row.with_check})` : ''].join(' ');
}

/** Tables whose rows are not what they were. */
export function changedRows(before: Record<string, string>, now: Record<string, string>): string[] {
  return Object.keys(now)
    .filter((table) => before[table] !== now[table])
    .map((table) => `rows of beta changed in ${table}: ${before[table]} before, ${now[table]} now`);
}
