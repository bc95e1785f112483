import type { Metrics } from '#platform/metrics.ts';
import type { FinishedRow } from './record.ts';

const seconds = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

/** Counts runs by how they ended. Patterns are no label: their number is not bounded. */
export function observeRuns(
  metrics: Metrics,
  read: { live: () => number; waiting: () => number },
): (row: FinishedRow) => void {
  const runs = metrics.counter('damask_runs_total', 'Runs that ended', ['status', 'code']);
  const tokens = metrics.counter('damask_run_tokens_total', 'Tokens of runs', ['direction']);
  const duration = metrics.histogram(
    'damask_run_duration_seconds',
    'Time from acceptance to the end',
    ['status'],
    seconds,
  );
  const first = metrics.histogram('damask_run_first_output_seconds', 'Time until the first text', [], seconds).of();
  const input = tokens.of('input');
  const output = tokens.of('output');
  metrics.gauge('damask_runs_live', 'Runs that are being executed', read.live);
  metrics.gauge('damask_journal_waiting', 'Rows that wait to be committed', read.waiting);
  return (row) => {
    runs.of(row.status, row.error_code ?? 'none').add();
    duration.of(row.status).observe((row.total_ms ?? 0) / 1000);
    if (row.first_output_ms !== null) first.observe(row.first_output_ms / 1000);
    if (row.input_tokens !== null) input.add(row.input_tokens);
    if (row.output_tokens !== null) output.add(row.output_tokens);
  };
}
