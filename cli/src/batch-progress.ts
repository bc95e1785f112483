import type { Batch, Damask } from '@damask/sdk';
import { formatDuration, formatSum } from './figures.ts';
import type { Terminal } from './terminal.ts';

/** Milliseconds between two looks at a terminal, and elsewhere between two lines. */
const lookEvery = 500;
const lineEvery = 10_000;

export const isOver = ({ finished_at }: Batch): boolean => finished_at !== null;

/** Lines that need no more: those that ended and those that never can. */
const doneOf = ({ lines }: Batch): number => lines.rejected + lines.succeeded + lines.failed + lines.cancelled;

/** `37 of 100 lines, 2 failed, 12/s, $0.04, 12 s left` */
export function describeProgress(batch: Batch): string {
  const { lines, rate, cost_micros, unpriced, estimated_end } = batch;
  const left = estimated_end === null ? null : Math.max(0, new Date(estimated_end).getTime() - Date.now());
  const facts = [
    `${doneOf(batch)} of ${lines.total} lines`,
    lines.failed > 0 && `${lines.failed} failed`,
    lines.rejected > 0 && `${lines.rejected} rejected`,
    lines.cancelled > 0 && `${lines.cancelled} cancelled`,
    rate !== null && !isOver(batch) && `${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s`,
    unpriced > 0 && cost_micros === 0 ? 'cost unknown' : formatSum(cost_micros, unpriced),
    left !== null && `${formatDuration(left)} left`,
  ];
  return facts.filter(Boolean).join(', ');
}

/** Shows how far a batch is until it has ended: a bar on a terminal, else a line now and then. Answers its end. */
export async function followBatch(
  damask: Damask,
  terminal: Terminal,
  id: string,
  sleep: (milliseconds: number) => Promise<void>,
): Promise<Batch> {
  let told = 0;
  let reason: string | null = null;
  for (;;) {
    const batch = await damask.batches.read({ batch: id });
    if (batch.status === 'paused' && batch.reason !== reason) {
      terminal.note(`The batch is paused${batch.reason ? `: ${batch.reason}` : '.'} Go on: damask batch resume ${id}`);
    }
    reason = batch.status === 'paused' ? batch.reason : null;
    if (isOver(batch)) {
      terminal.status('');
      return batch;
    }
    if (terminal.stderrIsTerminal) terminal.status(`${barOf(batch)} ${describeProgress(batch)}`);
    else if (Date.now() - told >= lineEvery) {
      told = Date.now();
      terminal.note(describeProgress(batch));
    }
    await sleep(lookEvery);
  }
}

function barOf(batch: Batch): string {
  const share = batch.lines.total === 0 ? 0 : doneOf(batch) / batch.lines.total;
  const filled = Math.floor(share * 24);
  return `${batch.status} ${'█'.repeat(filled)}${'░'.repeat(24 - filled)} ${Math.floor(share * 100)} %`;
}
