import type { ImportReport } from '@damask/contracts/transfer.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { appendEvents, type NewEvent } from '#platform/events.ts';
import { authorOf, changeLibrary, inWorkspace, type LibraryParts, leaveTrace } from '../library/library-parts.ts';
import { advancePatterns, insertPatterns, lockNames, lockPatterns, noteUpstream } from '../library/pattern-store.ts';
import { lockStrategies, noteStrategyUpstream, putStrategies } from '../library/strategy-store.ts';
import { insertVersions } from '../library/version-store.ts';
import { decideImport, type ImportOptions, refuseConflicts, toReport } from './decide-import.ts';
import type { ImportPlan } from './plan-import.ts';

/** Brings the library to what a plan holds, in one transaction. What is there already leaves no rows and no events. */
export async function applyImport(
  parts: LibraryParts,
  context: CallContext,
  plan: ImportPlan,
  options: ImportOptions,
): Promise<ImportReport> {
  if (options.dryRun) {
    const decided = await inWorkspace(parts, context, (transaction) => decide(transaction, plan, options));
    return toReport(plan, decided, false);
  }
  return changeLibrary(parts, context, async (transaction) => {
    await lockNames(transaction);
    const decided = await decide(transaction, plan, options);
    refuseConflicts(decided);
    await writePatterns(parts, transaction, context, decided.patterns, options);
    await writeStrategies(parts, transaction, context, decided.strategies, options);
    await leaveTraces(parts, transaction, context, decided, options);
    return toReport(plan, decided, true);
  });
}

async function decide(transaction: Transaction, plan: ImportPlan, options: ImportOptions) {
  const nameOf = ({ name }: { name: string }) => name;
  const patterns = await lockPatterns(transaction, plan.patterns.map(nameOf));
  const strategies = await lockStrategies(transaction, plan.strategies.map(nameOf));
  return decideImport(plan, { patterns, strategies }, options);
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
    published.map(({ id, version, content }) => ({
      pattern: id,
      number: version as number,
      content,
      message: null,
      source,
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
  await appendEvents(transaction, parts.clock, context, [
    ...published.flatMap(({ name, existing, version, content }): NewEvent[] => [
      ...(existing ? [] : [{ name: 'pattern.pattern-created' as const, data: { pattern: name } }]),
      {
        name: 'pattern.version-published',
        data: { pattern: name, version: version as number, digest: content.digest },
      },
    ]),
    ...put.map(({ name }): NewEvent => ({ name: 'pattern.strategy-put', data: { strategy: name } })),
  ]);
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
