import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { RunSummary } from '@damask/contracts/run.ts';
import type { runOperations } from '@damask/contracts/run-operations.ts';
import type { CallContext } from '#platform/call.ts';
import { summarizeAccepted, summarizeFinished } from './record.ts';
import type { RunParts } from './run-parts.ts';
import { findPageEnd, listFinished, listRunning, type RunFilter } from './store.ts';
import { listTasks } from './task-facts-store.ts';

type Operation = (typeof runOperations)['listRuns'];

const open: ReadonlySet<string> = new Set(['queued', 'running', 'waiting']);

/** A run without an end is looked for this far back: none may take longer. */
const longestRun = 2 * 3_600_000;

/** Newest first. Ended runs, queued ones and those whose callers wait are reads that merge by id, which is ordered by time. */
export async function listRuns(
  { database, cursors, engine }: RunParts,
  context: CallContext,
  input: InputOf<Operation>,
): Promise<OutputOf<Operation>> {
  const { limit = 50, cursor, status, subject = subjectOf(input.metadata), metadata: pairs, ...others } = input;
  const { rerun_of, dead, flagged, ...given } = others;
  const metadata = pairs?.filter((pair) => !pair.startsWith(namesSubject));
  // Only ended runs have these marks.
  const marked = dead || flagged || given.flag !== undefined;
  const scope = {
    list: 'runs',
    workspace: context.workspace,
    filter: JSON.stringify({ status, subject, rerun_of, metadata, dead, flagged, ...given }),
  };
  const before = cursor === undefined ? {} : { before: cursors.decode(scope, cursor)[0] as string };
  if (subject !== undefined) await engine.payloads.ready(context.workspace);
  const filter: RunFilter = {
    ...given,
    ...reachOf(context),
    ...before,
    ...(subject === undefined ? {} : { subject: engine.payloads.digestSubject(context.workspace, subject) }),
    ...(rerun_of === undefined ? {} : { rerunOf: rerun_of }),
    ...(dead === true ? { dead } : {}),
    ...(flagged === true ? { flagged } : {}),
    ...(metadata === undefined ? {} : { metadata: metadata.map(toPair) }),
    limit: limit + 1,
  };
  const rows = await database.transaction({ role: 'pattern', workspace: context.workspace }, async (transaction) => {
    const oldest = idAt(engine.clock.now() - longestRun);
    // Where ended runs fill the page, what lies beyond its end is not looked for: of the last hours that may be millions.
    const pageEnd = status === undefined && !marked ? await findPageEnd(transaction, filter) : undefined;
    const running: RunSummary[] =
      (status === undefined || status === 'running') && !marked
        ? (await listRunning(transaction, filter, pageEnd && pageEnd > oldest ? pageEnd : oldest)).map((row) =>
            summarizeAccepted(row),
          )
        : [];
    const queued: RunSummary[] =
      marked || (status !== undefined && !open.has(status))
        ? []
        : (await listTasks(transaction, filter, { state: status, after: pageEnd })).map(({ row, task }) =>
            summarizeAccepted(row, task),
          );
    const ended: RunSummary[] =
      status === undefined || status === 'succeeded' || status === 'failed' || status === 'cancelled'
        ? (await listFinished(transaction, status === undefined ? filter : { ...filter, status })).map(
            summarizeFinished,
          )
        : [];
    // Of a run that ended between the reads only the end is told.
    const known = new Map([...running, ...queued, ...ended].map((run) => [run.id, run]));
    return [...known.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
  });
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: cursors.encode(scope, [last.id]) } : { items };
}

function reachOf({ reach: { patterns, environments } }: CallContext): Pick<RunFilter, 'patterns' | 'environments'> {
  return { ...(patterns === null ? {} : { patterns }), ...(environments === null ? {} : { environments }) };
}

/** `metadata.subject` is taken for the subject when a run begins. */
const namesSubject = 'subject=';
const subjectOf = (metadata: readonly string[] | undefined) =>
  metadata?.find((pair) => pair.startsWith(namesSubject))?.slice(namesSubject.length);

/** `name=value` */
function toPair(text: string): Record<string, string> {
  const middle = text.indexOf('=');
  return { [text.slice(0, middle)]: text.slice(middle + 1) };
}

/** The lowest UUIDv7 of a moment. */
function idAt(milliseconds: number): string {
  const hex = Math.max(0, milliseconds).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
