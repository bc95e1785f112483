import { setImmediate as letOthersRun } from 'node:timers/promises';
import type { ImportReport } from '@damask/contracts/transfer.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { appendEvents, type NewEvent } from '#platform/events.ts';
import { authorOf, changeLibrary, inWorkspace, type LibraryParts, leaveTrace } from '../library/library-parts.ts';
import { advancePatterns, insertPatterns, lockNames, lockPatterns, noteUpstream } from '../library/pattern-store.ts';
import { lockStrategies, noteStrategyUpstream, putStrategies } from '../library/strategy-store.ts';
import { insertVersions } from '../library/version-store.ts';
import { composeImport } from './compose-import.ts';
import {
  decidePatterns,
  decideStrategies,
  type ImportOptions,
  type PatternDecision,
  refuseConflicts,
  toRow,
} from './decide-import.ts';
import type { ImportPlan } from './plan-import.ts';

// So much is prepared in about a millisecond; what goes to the database in between lets others run.
const rowsAtOnce = 500;
const ignoredShown = 1000;
/** Of the texts that conflicts are shown with. */
const charactersShown = 256 * 1024;

function* inSlices<Row>(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let at = 0; at < rows.length; at += rowsAtOnce) yield rows.slice(at, at + rowsAtOnce);
}

/** Brings the library to what a plan holds, in one transaction. What is there already leaves no rows and no events. */
export async function applyImport(
  parts: LibraryParts,
  context: CallContext,
  plan: ImportPlan,
  options: ImportOptions,
): Promise<ImportReport> {
  if (options.dryRun) {
    const decided = await inWorkspace(parts, context, (transaction) => decide(transaction, context, plan, options));
    return report(plan, decided, options, false);
  }
  return changeLibrary(parts, context, async (transaction) => {
    await lockNames(transaction);
    const decided = await decide(transaction, context, plan, options);
    refuseConflicts(decided);
    for (const some of inSlices(decided.patterns)) await writePatterns(parts, transaction, context, some, options);
    await writeStrategies(parts, transaction, context, decided.strategies, options);
    await leaveTraces(parts, transaction, context, decided, options);
    return report(plan, decided, options, true);
  });
}

async function decide(transaction: Transaction, context: CallContext, plan: ImportPlan, options: ImportOptions) {
  const nameOf = ({ name }: { name: string }) => name;
  const decided: PatternDecision[] = [];
  for (const some of inSlices(plan.patterns)) {
    const patterns = await lockPatterns(transaction, some.map(nameOf), context);
    decided.push(...decidePatterns(some, patterns, options));
  }
  const strategies = await lockStrategies(transaction, plan.strategies.map(nameOf));
  return composeImport(transaction, {
    patterns: decided,
    strategies: decideStrategies(plan.strategies, strategies, options),
  });
}

async function report(
  plan: ImportPlan,
  decided: Decided,
  { source }: ImportOptions,
  committed: boolean,
): Promise<ImportReport> {
  const { kind: _, ...from } = source;
  const patterns: ImportReport['patterns'] = [];
  let shown = 0;
  const rowOf = (pattern: PatternDecision): (typeof patterns)[number] => {
    if (pattern.outcome !== 'conflict') return toRow(pattern);
    const { files } = pattern.content;
    shown += files.reduce((sum, { content }) => sum + content.length, 0);
    return shown > charactersShown ? toRow(pattern) : { ...toRow(pattern), incoming: [...files] };
  };
  for (const some of inSlices(decided.patterns)) {
    patterns.push(...some.map(rowOf));
    await letOthersRun();
  }
  const refused = plan.refused.map(({ kind, name, detail }) => ({
    kind,
    row: { name, outcome: 'refused' as const, detail },
  }));
  const bare = { version: null, variables: [], literal_tokens: [], disabled_capabilities: [] };
  patterns.push(...refused.filter(({ kind }) => kind === 'pattern').map(({ row }) => ({ ...row, ...bare })));
  return {
    committed,
    source: from,
    patterns,
    strategies: [
      ...decided.strategies.map(({ name, outcome }) => ({ name, outcome })),
      ...refused.filter(({ kind }) => kind === 'strategy').map(({ row }) => row),
    ],
    ignored: plan.ignored.slice(0, ignoredShown).map(({ path, reason }) => ({ path, reason })),
    ignored_total: plan.ignored.length,
  };
}

type Decided = Awaited<ReturnType<typeof decide>>;

async function writePatterns(
  { clock }: LibraryParts,
  transaction: Transaction,
  context: CallContext,
  decided: Decided['patterns'],
  { source }: ImportOptions,
): Promise<void> {
  const { workspace } = context;
  const { kind, origin = null } = source;
  const at = new Date(clock.now()).toISOString();
  const published = decided
    .filter((pattern) => pattern.publish)
    .map((pattern) => ({ ...pattern, id: pattern.existing?.id ?? clock.uuid() }));
  await insertPatterns(
    transaction,
    published
      .filter(({ existing }) => !existing)
      .map(({ id, name, content }) => ({
        workspace,
        id,
        name,
        latest: 1,
        source_kind: kind,
        source_origin: origin,
        upstream_kind: kind,
        upstream_digest: content.files_digest,
        created_at: at,
      })),
  );
  await insertVersions(
    transaction,
    workspace,
    published.map(({ id, version, content, blob }) => ({
      pattern: id,
      number: version as number,
      content,
      message: null,
      source: { ...source, ...(blob !== null && { blob }) },
      created_at: at,
      ...authorOf(context),
    })),
  );
  await advancePatterns(
    transaction,
    published
      .filter(({ existing }) => existing)
      .map(({ id, version, content }) => ({
        id,
        latest: version as number,
        updated_at: at,
        source_kind: kind,
        source_origin: origin,
        upstream_digest: content.files_digest,
      })),
  );
  await noteUpstream(
    transaction,
    decided.flatMap(({ existing, noteUpstream: note, content }) =>
      existing && note ? [{ id: existing.id, kind, digest: content.files_digest }] : [],
    ),
  );
}

async function writeStrategies(
  { clock }: LibraryParts,
  transaction: Transaction,
  { workspace }: CallContext,
  decided: Decided['strategies'],
  { source: { kind } }: ImportOptions,
): Promise<void> {
  const updated_at = new Date(clock.now()).toISOString();
  await putStrategies(
    transaction,
    decided
      .filter((strategy) => strategy.publish)
      .map(({ name, description, prompt, digest }) => ({
        workspace,
        name,
        description,
        prompt,
        digest,
        upstream_kind: kind,
        upstream_digest: digest,
        updated_at,
      })),
  );
  await noteStrategyUpstream(
    transaction,
    decided.flatMap(({ name, digest, noteUpstream: note }) => (note ? [{ name, kind, digest }] : [])),
  );
}

async function leaveTraces(
  parts: LibraryParts,
  transaction: Transaction,
  context: CallContext,
  { patterns, strategies }: Decided,
  { action, source, onConflict }: ImportOptions,
): Promise<void> {
  const published = patterns.filter((pattern) => pattern.publish);
  const put = strategies.filter((strategy) => strategy.publish);
  if (published.length + put.length === 0) return;
  const events = [
    ...published.flatMap(({ name, existing, version, content }): NewEvent[] => [
      ...(existing ? [] : [{ name: 'pattern.pattern-created' as const, data: { pattern: name } }]),
      {
        name: 'pattern.version-published',
        data: { pattern: name, version: version as number, digest: content.digest },
      },
    ]),
    ...put.map(({ name }): NewEvent => ({ name: 'pattern.strategy-put', data: { strategy: name } })),
  ];
  for (const some of inSlices(events)) await appendEvents(transaction, parts.clock, context, some);
  await leaveTrace(parts, transaction, context, {
    action,
    subject: 'library',
    details: {
      source,
      on_conflict: onConflict,
      patterns: Object.fromEntries(published.map(({ name, version }) => [name, version])),
      strategies: put.map(({ name }) => name),
    },
    event: 'pattern.tree-imported',
    data: { patterns: patterns.length, changed: published.length, strategies: strategies.length },
  });
}
