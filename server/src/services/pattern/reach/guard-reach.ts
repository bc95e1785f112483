import type { serviceOperations } from '@damask/contracts/services.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext, Implementation, Reach } from '#platform/call.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import { readBatch } from '../batch/batch-store.ts';
import { isChain, pinChain } from '../chain/pin-chain.ts';
import type { LibraryTable } from '../library/library-table.ts';
import { chooseVersion } from '../run/plan-run.ts';
import { findRun } from '../run/read-run.ts';
import { type ReachRule, reachRules } from './reach-rules.ts';
import { isReached, isWhole, requireWholeReach, within } from './within-reach.ts';

type Contract = (typeof serviceOperations)['pattern'];
type AnyCall = (context: CallContext, input: unknown) => Promise<unknown>;

interface Parts {
  readonly database: Database;
  readonly library: LibraryTable;
}

/** What the fields of inputs that pick a version are called, whatever the operation. */
interface Picks {
  readonly pattern?: string;
  readonly version?: number;
  readonly label?: string;
  readonly environment?: string;
}

/** The environment of runs that name nothing. */
const development = 'development';

/**
 * The same operations, for callers that reach all of the workspace and for those that do not: for them, what lies beyond is as
 * if it were not there. Errors beside the operation's own: `not_found`, `forbidden`.
 */
export function guardReach(parts: Parts, operations: Implementation<Contract>): Implementation<Contract> {
  const guarded = Object.entries(operations).map(([name, operation]) => {
    const call = operation as AnyCall;
    const rule = reachRules[name as keyof Contract];
    if (rule === 'free' || rule === 'lists') return [name, call] as const;
    const guard: AnyCall = (context, input) =>
      isWhole(context.reach)
        ? call(context, input)
        : check(parts, rule, context, input as Picks).then(() => call(context, input));
    return [name, guard] as const;
  });
  return Object.fromEntries(guarded) as unknown as Implementation<Contract>;
}

async function check(parts: Parts, rule: ReachRule, context: CallContext, input: Picks): Promise<void> {
  const { reach } = context;
  const { pattern, run, batch, name } = input as Picks & { run?: string; batch?: string; name?: string };
  switch (rule) {
    case 'whole':
      return requireWholeReach(reach);
    case 'name':
      return requirePattern(reach, name);
    case 'pattern':
      return requirePattern(reach, pattern);
    case 'starts':
      requirePattern(reach, pattern);
      requireEnvironment(reach, input);
      return requireSteps(parts, context, input);
    case 'run':
      await requireRun(parts, context, run as string);
      return;
    case 'again':
      return requireAgain(parts, context, run as string, input);
    case 'batch': {
      const row = await look(parts, context, (transaction) => readBatch(transaction, batch as string));
      if (!row || !isReached(reach, row.pattern, row.settings.environment)) throw notFound();
      return;
    }
    default:
      throw new Error(`Nothing is checked by the rule ${rule}`);
  }
}

const look = <Result>(
  { database }: Parts,
  { workspace }: CallContext,
  work: (transaction: Transaction) => Promise<Result>,
) => database.transaction({ role: 'pattern', workspace }, work);

function requirePattern({ patterns }: Reach, name: string | undefined): void {
  if (name === undefined || !within(patterns, name)) throw notFound();
}

async function requireRun(parts: Parts, context: CallContext, id: string) {
  const found = await look(parts, context, (transaction) => findRun(transaction, id));
  const row = found.finished ?? found.accepted;
  if (!isReached(context.reach, row.pattern, row.environment)) throw notFound();
  return row;
}

async function requireAgain(parts: Parts, context: CallContext, id: string, input: Picks): Promise<void> {
  const row = await requireRun(parts, context, id);
  const { pattern = row.pattern, version, label, environment } = input;
  requirePattern(context.reach, pattern);
  const same = (input.pattern ?? version ?? label ?? environment) === undefined;
  // The same again keeps its version by number, and so it would run in no environment.
  requireEnvironment(context.reach, same ? { version: row.version } : input);
  await requireSteps(parts, context, same ? { pattern, version: row.version } : { ...input, pattern });
}

function requireEnvironment({ environments }: Reach, { version, label, environment }: Picks): void {
  if (environments === null) return;
  const named = version !== undefined || label !== undefined;
  const used = named ? undefined : (environment ?? development);
  if (used !== undefined && environments.includes(used)) return;
  throw new AppError(
    'forbidden',
    `This key runs in ${environments.join(', ')} only. Name one of them in \`environment\`, and neither version nor label; rerun what you would retry.`,
    { need: `environments:${used ?? 'all'}`, pointer: '/environment' },
  );
}

/** All patterns that a chain leads to are looked up as if there were only those in reach. */
async function requireSteps({ library }: Parts, { workspace, reach }: CallContext, picks: Picks): Promise<void> {
  const pattern = library.find(workspace, picks.pattern as string);
  // What is not there, the operation itself tells.
  if (!pattern) return;
  const version = await chooseVersion(library, workspace, pattern, picks);
  if (!isChain(version)) return;
  const reached: LibraryTable = {
    ...library,
    find: (place, name) => (within(reach.patterns, name) ? library.find(place, name) : undefined),
  };
  await pinChain(reached, workspace, pattern, version);
}
