import type { batchOperations } from '@damask/contracts/batch-operations.ts';
import type { CallContext, Implementation } from '#platform/call.ts';
import type { ProcessRegistry } from '#platform/process-registry.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { createBatchOperations } from './batch-operations.ts';
import type { BatchParts } from './batch-parts.ts';
import { createLineThreads } from './line-threads.ts';
import { type PlannedBatch, planBatch } from './plan-batch.ts';
import type { OpenTexts } from './read-results.ts';
import { startBatchPump } from './start-pump.ts';

export interface BatchOptions extends Omit<BatchParts, 'threads' | 'process' | 'wake'> {
  readonly registry: ProcessRegistry;
  readonly queue: Pick<TaskQueue, 'insert' | 'wake'>;
  /** Opens the texts of an ended run. */
  readonly openTexts: OpenTexts;
  /** Stops a run of a workspace, wherever it is executed. */
  readonly cancelRun: (workspace: string, run: string) => Promise<unknown>;
}

export interface Batches {
  readonly operations: Implementation<typeof batchOperations>;
  /** A batch of a list, to be made in another transaction. */
  plan(context: CallContext, request: Parameters<typeof planBatch>[2]): Promise<PlannedBatch>;
  /** A run of a batch has ended here: the next one can begin. */
  wake(): void;
  stop(): Promise<void>;
}

/** Batches with all that moves them: every process that has them works on those of all workspaces. */
export function openBatches(options: BatchOptions): Batches {
  const { registry, queue, cancelRun } = options;
  const threads = createLineThreads();
  const parts: BatchParts = {
    ...options,
    threads,
    process: registry.id,
    wake: () => pump.wake(),
  };
  const pump = startBatchPump({
    ...parts,
    registry,
    insert: queue.insert,
    cancelRun: async (workspace, run) => {
      await cancelRun(workspace, run);
    },
    onQueued: queue.wake,
  });
  return {
    operations: createBatchOperations({ ...parts, openTexts: options.openTexts }),
    plan: (context, request) => planBatch(parts, context, request),
    wake: pump.wake,
    async stop() {
      await pump.stop();
      await threads.close();
    },
  };
}
