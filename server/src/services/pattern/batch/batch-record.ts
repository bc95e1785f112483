import type { Batch, BatchStatus } from '@damask/contracts/batch-operations.ts';
import type { Redaction } from '@damask/contracts/guard.ts';
import type { Parameters } from '@damask/contracts/parameters.ts';
import type { DataClass } from '@damask/contracts/pattern-settings.ts';
import type { RunPriority } from '@damask/contracts/run.ts';
import type { ChainPlan } from '../chain/chain-plan.ts';
import type { PinnedPattern } from '../library/library-table.ts';
import type { ClassedVariable } from '../privacy/data-class.ts';
import type { ModelWish } from '../routing/wish.ts';
import type { PlanTexts } from '../run/plan-run.ts';

/** What a reader sees of the request and of what it was pinned to. */
export interface BatchSettings {
  readonly digest: string;
  readonly environment: string | null;
  readonly label: string | null;
  readonly model: string | null;
  readonly strategy: string | null;
  readonly context: string | null;
  readonly parameters: Parameters | null;
  readonly language: string | null;
  readonly priority: RunPriority;
  readonly concurrency: number | null;
  readonly accept: 'all' | 'valid';
  readonly on_error: 'go_on' | 'stop';
  readonly deterministic: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly start_at: string | null;
  /** Of its version; absent: internal. */
  readonly data_class?: DataClass;
  /** Present where its texts go when it has ended. */
  readonly store?: 'none';
}

/** What the runs of a batch have in common, as it is sealed. */
export interface BatchPlan {
  readonly pin: PinnedPattern;
  readonly texts: Omit<PlanTexts, 'now'>;
  readonly wish: ModelWish | null;
  readonly timeoutMs: number;
  /** Variables that make the class of a line's run a higher one. */
  readonly classed?: readonly ClassedVariable[];
  readonly chain?: ChainPlan;
  readonly redact?: Redaction;
}

/** A row of `pattern.batch`, the plan aside. Times are RFC 3339. */
export interface BatchRow {
  readonly workspace: string;
  readonly id: string;
  readonly status: BatchStatus;
  readonly reason: string | null;
  readonly pattern: string;
  readonly version: number;
  readonly settings: BatchSettings;
  readonly actor: string;
  readonly created_at: string;
  readonly deadline: string | null;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly total: number;
  readonly rejected: number;
  readonly begun: number;
  readonly again: number;
  readonly next_line: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly shared: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_micros: number;
  readonly unpriced: number;
  readonly rate: number | null;
  readonly rated_at: string | null;
  readonly rated: number;
}

/** A batch as its reader sees it. */
export function toBatch(row: BatchRow, now: number): Batch {
  const { digest, language: _, data_class = 'internal', store: __, ...settings } = row.settings;
  const over = row.finished_at !== null;
  const unbegun = row.total - row.rejected - row.begun + row.again;
  const running = row.begun - row.again - row.succeeded - row.failed - row.cancelled;
  const left = unbegun + running;
  const moving = row.status === 'running' && row.rate !== null && row.rate > 0 && left > 0;
  return {
    id: row.id,
    status: row.status,
    reason: row.reason,
    pattern: row.pattern,
    version: row.version,
    digest,
    ...settings,
    data_class,
    actor: row.actor,
    created_at: row.created_at,
    deadline: row.deadline,
    started_at: row.started_at,
    finished_at: row.finished_at,
    lines: {
      total: row.total,
      rejected: row.rejected,
      waiting: over ? 0 : unbegun,
      running: over ? 0 : running,
      succeeded: row.succeeded,
      failed: row.failed,
      cancelled: row.cancelled + (over ? left : 0),
      shared: row.shared,
    },
    rate: row.rate === null ? null : Math.round(row.rate * 100) / 100,
    estimated_end: moving ? new Date(now + Math.ceil((left / (row.rate as number)) * 1000)).toISOString() : null,
    usage: { input_tokens: row.input_tokens, output_tokens: row.output_tokens },
    cost_micros: row.cost_micros,
    unpriced: row.unpriced,
    currency: 'USD',
  };
}
