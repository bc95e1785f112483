import type { serviceOperations } from '@damask/contracts/services.ts';
import type { Implementation } from '#platform/call.ts';
import type { Carrier } from '#platform/carrier/carrier.ts';
import type { Clock } from '#platform/clock.ts';
import type { Cursors } from '#platform/cursor.ts';
import type { Database } from '#platform/database/database.ts';
import type { Egress } from '#platform/egress/egress.ts';
import { catchUpWith, startEventReaders } from '#platform/events.ts';
import type { Log } from '#platform/log.ts';
import type { Metrics } from '#platform/metrics.ts';
import type { ProcessRegistry } from '#platform/process-registry.ts';
import { watchTopics } from '#platform/topic.ts';
import { createTrail } from '#platform/trail.ts';
import { createSchemaWorkers } from '#platform/user-schema/schema-workers.ts';
import type { Vault } from '#platform/vault.ts';
import type { BatchLimits } from './batch/batch-parts.ts';
import { openBatches } from './batch/open-batches.ts';
import { createBudgetOperations } from './budget/budget-operations.ts';
import { budgetsTopic, createBudgetTable } from './budget/budget-table.ts';
import { createBudgets } from './budget/budgets.ts';
import { startReconciliation } from './budget/reconcile-leases.ts';
import { createContextTexts } from './conversation/context-texts.ts';
import { createConversationOperations } from './conversation/conversation-operations.ts';
import { contextTopic } from './conversation/conversation-parts.ts';
import { createPdfTexts } from './conversation/pdf-texts.ts';
import { createLibraryOperations } from './library/library-operations.ts';
import { libraryTopic } from './library/library-parts.ts';
import { createLibraryTable } from './library/library-table.ts';
import type { Addon } from './model/addon/addon.ts';
import type { EnvironmentProvider } from './model/environment-providers.ts';
import type { LocalModel } from './model/local/local-model.ts';
import { createModelOperations } from './model/model-operations.ts';
import { providersTopic } from './model/model-parts.ts';
import { createModelRouter } from './model/model-router.ts';
import { createProviderSources } from './model/provider-sources.ts';
import { createProviderTable } from './model/provider-table.ts';
import { openQueue, type QueueSettings } from './open-queue.ts';
import { createQueueOperations } from './queue/queue-operations.ts';
import { createStoppedActors, createStoppedActorsReader, stoppedActorsTopic } from './queue/stopped-actors.ts';
import type { TaskQueue } from './queue/task-queue.ts';
import type { TaskRuns } from './queue/task-runs.ts';
import { guardReach } from './reach/guard-reach.ts';
import { readCatalogue } from './routing/catalogue.ts';
import { createGates } from './routing/gates.ts';
import { createMinuteStore } from './routing/minute-store.ts';
import { createAnswerCache } from './run/answer-cache.ts';
import { cancelRun } from './run/cancel-run.ts';
import { createClaimWriter } from './run/claim-writer.ts';
import { createConfirmEnd } from './run/confirm-end.ts';
import type { EngineParts } from './run/engine.ts';
import { createJournal, type Journal } from './run/journal.ts';
import { createLiveRuns } from './run/live-runs.ts';
import { observeRuns } from './run/observe-runs.ts';
import { createOutputPublisher } from './run/output-publisher.ts';
import { createPayloads } from './run/payloads.ts';
import { startRecovery } from './run/recover-runs.ts';
import { createRunOperations } from './run/run-operations.ts';
import { heedSignals, signalTopic } from './run/run-signals.ts';
import { openTimers } from './timer/open-timers.ts';
import { createImportPlanner } from './transfer/import-planner.ts';
import { createStarterReader } from './transfer/install-starters.ts';
import { createTransferOperations } from './transfer/transfer-operations.ts';

export interface PatternOptions {
  readonly database: Database;
  readonly registry: ProcessRegistry;
  readonly carrier: Carrier;
  readonly vault: Vault;
  readonly egress: Egress;
  readonly cursors: Cursors;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
  readonly redact: (text: string) => string;
  /** Folder of the starter patterns. */
  readonly starters: string;
  /** Providers that the operator gave; one that is found later appears in it. */
  readonly environmentProviders: () => readonly EnvironmentProvider[];
  readonly localModel: LocalModel | null;
  /** Null or missing where there is none: its providers then say so. */
  readonly addon?: Addon | null;
  readonly defaultModel: string | null;
  readonly runs: {
    readonly timeout_ms: number;
    readonly max_tokens: number;
    readonly first_byte_ms: number;
    readonly idle_ms: number;
    readonly concurrency: number;
    readonly record_within_ms: number;
  };
  readonly queue: QueueSettings;
  readonly batches: BatchLimits;
  readonly planted?: PlantedFaults;
}

/** Faults that a test plants to see that its checks can fail. Never set outside tests. */
export interface PlantedFaults {
  readonly journal?: (journal: Journal) => Journal;
  /** False: nobody ends the runs of a dead process. */
  readonly recovery?: boolean;
  /** False: an Idempotency-Key is taken and means nothing. */
  readonly keys?: boolean;
  /** Around what a worker does for a run, and around what is done to queue one. */
  readonly worker?: (runs: TaskRuns) => TaskRuns;
  readonly queue?: (queue: TaskQueue) => TaskQueue;
}

export interface PatternService {
  readonly operations: Implementation<(typeof serviceOperations)['pattern']>;
  /** Why it cannot take runs, or null. */
  ready(): string | null;
  /** Handles all events that were said so far; afterwards a new workspace has its starter patterns. */
  catchUp(): Promise<void>;
  /** The model of runs that name none, and why it is not ready yet. */
  describeDefaultModel(workspace: string): string | null;
  /** Takes no more runs and lets those that run end, for `milliseconds` at most. */
  drain(milliseconds: number): Promise<void>;
  /** Ends runs within `milliseconds`, records all of them, and stops. */
  stop(milliseconds: number): Promise<void>;
}

export const patternMigrations = `${import.meta.dirname}/migrations`;

/** A new workspace's starter patterns may wait so long for older transactions of the database. */
const startersWithin = 5_000;

/** A stream's reader that takes nothing for so long is cut off. */
const readerWithin = 30_000;
/** Patterns, models and runs: the run path. Resolves when it can take runs. */
export async function createPatternService(options: PatternOptions): Promise<PatternService> {
  const { database, registry, carrier, vault, cursors, metrics, clock, log, runs } = options;
  const egress = options.egress.surface('provider');
  const trail = createTrail('pattern', clock);
  const library = createLibraryTable({ database, log });
  const gates = createGates({ clock, log, minutes: createMinuteStore(database) });
  const providers = createProviderTable(database, gates.forget);
  const contexts = createContextTexts({ database, vault });
  const budgetTable = createBudgetTable(database, (workspace) => budgets.changed(workspace));
  const budgets = createBudgets({ database, registry, table: budgetTable, clock, log });
  const stopped = createStoppedActors(database, clock);
  const live = createLiveRuns({ limit: runs.concurrency, clock });
  const publisher = createOutputPublisher({ database, vault, clock, log });
  const signals = { database, process: registry.id, live, publisher, log };
  const topics = await watchTopics({
    database,
    clock,
    log,
    followers: [
      { topic: libraryTopic, load: () => library.load() },
      { topic: providersTopic, load: () => providers.load() },
      { topic: contextTopic, load: () => contexts.load() },
      { topic: signalTopic, load: () => heedSignals(signals) },
      { topic: budgetsTopic, load: () => budgetTable.load() },
      { topic: stoppedActorsTopic, load: () => stopped.load() },
    ],
  });
  const sources = createProviderSources({
    environment: options.environmentProviders,
    providers,
    local: options.localModel,
    addon: options.addon ?? null,
    catalogue: readCatalogue(),
    egress,
    vault,
    defaultMaxTokens: runs.max_tokens,
    firstByteMs: runs.first_byte_ms,
    idleMs: runs.idle_ms,
    redact: options.redact,
    clock,
  });
  const router = createModelRouter({
    sources,
    gates,
    defaultModel: options.defaultModel,
    firstByteMs: runs.first_byte_ms,
    idleMs: runs.idle_ms,
    clock,
    log,
  });
  const honest = createJournal({ connect: () => database.dedicated('journal'), clock, log });
  const journal = options.planted?.journal?.(honest) ?? honest;
  const checks = createSchemaWorkers({ clock });
  const measure = observeRuns(metrics, { live: () => live.size, waiting: () => journal.waiting });
  const engine: EngineParts = {
    journal,
    live,
    payloads: createPayloads(vault),
    clock,
    checks,
    process: registry.id,
    recordWithin: runs.record_within_ms,
    readerWithin,
    observe(row) {
      measure(row);
      if (row.batch) batches.wake();
    },
    confirm: createConfirmEnd({ database, registry, log }),
  };
  const recovery =
    options.planted?.recovery === false
      ? { first: Promise.resolve(), stop: async () => undefined }
      : startRecovery({ database, registry, journal, clock, log });
  const reconciliation = startReconciliation({ database, registry, clock, log });
  const libraryParts = { database, clock, log, trail, cursors, afterChange: () => topics.refresh() };
  const planner = createImportPlanner({ egress: options.egress, clock });
  const conversation = { ...libraryParts, vault, registry };
  const starters = createStarterReader(libraryParts, options.starters);
  const heard = [starters, createStoppedActorsReader(database, libraryParts.afterChange)];
  const readers = startEventReaders({ database, carrier, clock, log, readers: heard });
  await Promise.all([recovery.first, readers.first]);
  const execution = {
    ...{ library, router, engine, clock, log },
    pdfTexts: createPdfTexts({ clock }),
    answers: createAnswerCache(clock),
    limits: { budgets, defaultMaxTokens: runs.max_tokens, clock },
    defaultTimeout: runs.timeout_ms,
  };
  const ownQueue = openQueue({
    ...execution,
    ...{ database, registry, carrier, vault, publisher, stopped },
    settings: options.queue,
    ...(options.planted?.worker ? { around: options.planted.worker } : {}),
  });
  const queue = options.planted?.queue?.(ownQueue) ?? ownQueue;
  const timers = openTimers({
    ...{ ...execution, ...libraryParts, contexts, vault, queue, stopped },
    batches: { plan: (context, request) => batches.plan(context, request) },
  });
  const runParts = {
    ...execution,
    ...{ database, vault, trail, cursors, contexts, conversation, queue },
    claims: createClaimWriter(database),
    honoursKeys: options.planted?.keys !== false,
  };
  const batches = openBatches({
    ...{ database, clock, log, cursors, trail, registry, vault, library, contexts, router, queue, budgets },
    limits: options.batches,
    defaultTimeout: runs.timeout_ms,
    openTexts: engine.payloads.open,
    cancelRun: (workspace, run) => cancelRun(runParts, workspace, run),
  });

  const journalFault = () => {
    try {
      journal.admit();
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  };

  return {
    operations: guardReach(
      { database, library },
      {
        ...createLibraryOperations(libraryParts),
        ...createConversationOperations(conversation),
        ...createTransferOperations({ ...libraryParts, planner, egress: options.egress.surface('import') }),
        ...createModelOperations({
          ...libraryParts,
          router,
          sources,
          gates,
          environment: options.environmentProviders,
          ...{ egress, vault },
        }),
        ...createQueueOperations({ database, trail, wake: () => queue.wake() }),
        ...createBudgetOperations({ ...libraryParts, library, budgets }),
        ...createRunOperations(runParts),
        ...batches.operations,
        ...timers.operations,
      },
    ),
    ready: () => journalFault() ?? queue.fault(),
    async catchUp() {
      await catchUpWith(database, starters, clock, startersWithin);
      await topics.refresh();
    },
    describeDefaultModel(workspace) {
      const model = router.list(workspace).find((candidate) => candidate.default);
      return model
        ? [model.name, model.note && `(${model.note})`].filter(Boolean).join(' ')
        : router.defaultName(workspace);
    },
    async drain(milliseconds) {
      await timers.stop();
      await Promise.all([live.drain(milliseconds), queue.drain(milliseconds)]);
    },
    async stop(milliseconds) {
      await timers.stop();
      await Promise.all([live.drain(milliseconds), queue.drain(milliseconds), batches.stop()]);
      await Promise.all([queue.stop(), publisher.stop()]);
      await Promise.all([checks.close(), recovery.stop(), readers.stop(), topics.stop(), planner.close()]);
      const left = await journal.stop(5_000);
      // After the journal: what calls took is settled from their ends.
      await Promise.all([reconciliation.stop(), budgets.stop(2_000)]);
      if (left > 0) log.error('Runs were left unrecorded at the end', { rows: left });
    },
  };
}
