import type { Carrier } from '#platform/carrier/carrier.ts';
import { chance } from '#platform/chance.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import type { Log } from '#platform/log.ts';
import type { ProcessRegistry } from '#platform/process-registry.ts';
import type { Vault } from '#platform/vault.ts';
import { createStepStore } from './engine/step-store.ts';
import type { StoppedActors } from './queue/stopped-actors.ts';
import { createTaskQueue, type TaskQueue } from './queue/task-queue.ts';
import type { TaskRuns } from './queue/task-runs.ts';
import { sealEnd } from './run/end-queued-run.ts';
import type { OutputPublisher } from './run/output-publisher.ts';
import type { StepParts } from './run/plan-step.ts';
import { createQueuedRuns } from './run/queued-runs.ts';

export interface QueueSettings {
  readonly worker_slots: number;
  readonly workspace_concurrency: number;
  readonly give_up_after: number;
}

/** The topic that tells of work on the list. */
const waitingWork = 'work';

/** Queued runs with all that their execution needs. */
export function openQueue(
  options: StepParts & {
    readonly database: Database;
    readonly registry: ProcessRegistry;
    readonly vault: Vault;
    readonly publisher: OutputPublisher;
    readonly stopped: StoppedActors;
    readonly settings: QueueSettings;
    readonly carrier: Carrier;
    /** For tests that plant a fault. */
    readonly around?: (runs: TaskRuns) => TaskRuns;
    readonly clock: Clock;
    readonly log: Log;
  },
): TaskQueue {
  const { database, registry, engine, settings, carrier, clock, log } = options;
  const steps = createStepStore(options);
  const runs = createQueuedRuns(options);
  const queue = createTaskQueue({
    database,
    registry,
    runs: options.around?.(runs) ?? runs,
    sealBare: (row, end) => sealEnd(engine, row, null, end),
    packSteps: steps.pack,
    readSteps: steps.read,
    slots: settings.worker_slots,
    workspaceLimit: settings.workspace_concurrency,
    giveUpAfter: settings.give_up_after,
    announce: () => carrier.announce(waitingWork),
    clock,
    random: () => chance(clock),
    log,
  });
  if (settings.worker_slots > 0) carrier.subscribe(waitingWork, 'workers', () => queue.hear());
  return queue;
}
