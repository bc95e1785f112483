import type { StepOutcome } from '../chain/resolve-reference.ts';
import type { Part, PartEnd } from './part.ts';

/** Begins so many parts, at most `parallel` at once; ends with all outcomes in their order, or with the first failure. */
export function beginMany(
  count: number,
  parallel: number,
  beginOne: (index: number, ended: (end: PartEnd) => void) => Part | undefined,
  ended: (end: { ok: true; outcomes: readonly StepOutcome[] } | Extract<PartEnd, { ok: false }>) => void,
): Part {
  const outcomes: StepOutcome[] = new Array(count);
  const open = new Map<number, Part>();
  let next = 0;
  let left = count;
  let active = 0;
  let over = false;
  let pumping = false;

  const cancel = () => {
    over = true;
    for (const part of open.values()) part.cancel();
  };
  function one(index: number) {
    let mine = true;
    active += 1;
    const part = beginOne(index, (end) => {
      mine = false;
      open.delete(index);
      active -= 1;
      if (over) return;
      if (!end.ok) {
        cancel();
        return ended(end);
      }
      outcomes[index] = end.outcome;
      left -= 1;
      pump();
    });
    if (part && mine) {
      open.set(index, part);
      // It may have ended all while it began.
      if (over) part.cancel();
    }
  }
  /** Many parts may end at once when their records are at hand: a loop, for the stack's sake. */
  function pump() {
    if (pumping) return;
    pumping = true;
    while (!over && next < count && active < parallel) one(next++);
    pumping = false;
    if (over || left > 0) return;
    over = true;
    ended({ ok: true, outcomes });
  }
  pump();
  return { cancel };
}
