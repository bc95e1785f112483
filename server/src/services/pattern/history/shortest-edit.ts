import { setImmediate as letOthersRun } from 'node:timers/promises';

/** One line of an edit: kept, taken out or put in. */
export interface Edit {
  readonly kind: ' ' | '-' | '+';
  readonly line: string;
}

// Beyond so many changed lines the shortest edit costs seconds and tells a reader nothing more.
const changesAllowed = 1000;
// About 2 ms of work.
const stepsInOneGo = 100_000;

/**
 * The shortest edit between two lists of lines (Myers, "An O(ND) difference algorithm and its variations", 1986), found in slices
 * that let other work run. Beyond 1,000 changes: everything between the common beginning and end is taken out and put in.
 */
export async function shortestEdit(before: readonly string[], after: readonly string[]): Promise<Edit[]> {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head++;
  let tail = 0;
  const room = Math.min(before.length, after.length) - head;
  while (tail < room && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  const kept = (line: string): Edit => ({ kind: ' ', line });
  const [old, fresh] = [before.slice(head, before.length - tail), after.slice(head, after.length - tail)];
  const middle = (await editBetween(old, fresh)) ?? [
    ...old.map((line): Edit => ({ kind: '-', line })),
    ...fresh.map((line): Edit => ({ kind: '+', line })),
  ];
  return [...before.slice(0, head).map(kept), ...middle, ...before.slice(before.length - tail).map(kept)];
}

async function editBetween(before: readonly string[], after: readonly string[]): Promise<Edit[] | undefined> {
  const [height, width] = [before.length, after.length];
  const most = Math.min(height + width, changesAllowed);
  // How far each diagonal reaches; index 0 is diagonal -most - 1.
  const reach = new Int32Array(2 * most + 3);
  const trace: Int32Array[] = [];
  let steps = 0;
  for (let changes = 0; changes <= most; changes++) {
    trace.push(reach.slice(most + 1 - changes - 1, most + 1 + changes + 2));
    for (let diagonal = -changes; diagonal <= changes; diagonal += 2) {
      const place = diagonal + most + 1;
      const [left, right] = [reach[place - 1] as number, reach[place + 1] as number];
      let down = diagonal === -changes || (diagonal !== changes && left < right) ? right : left + 1;
      const from = down;
      while (down < width && down - diagonal < height && after[down] === before[down - diagonal]) down++;
      reach[place] = down;
      steps += down - from + 1;
      if (down >= width && down - diagonal >= height) return walkBack(before, after, trace, changes, diagonal);
    }
    if (steps > stepsInOneGo) {
      steps = 0;
      await letOthersRun();
    }
  }
  return undefined;
}

function walkBack(
  before: readonly string[],
  after: readonly string[],
  trace: readonly Int32Array[],
  changes: number,
  last: number,
): Edit[] {
  const edits: Edit[] = [];
  let [column, diagonal] = [after.length, last];
  for (let step = changes; step >= 0; step--) {
    const reach = trace[step] as Int32Array;
    // The slice begins at diagonal -step - 1.
    const at = (wanted: number) => reach[wanted + step + 1] as number;
    const inserted = diagonal !== -step && (diagonal === step || at(diagonal - 1) >= at(diagonal + 1));
    const start = step === 0 ? 0 : inserted ? at(diagonal - 1) + 1 : at(diagonal + 1);
    while (column > start) edits.push({ kind: ' ', line: after[--column] as string });
    if (step === 0) break;
    if (inserted) edits.push({ kind: '+', line: after[--column] as string });
    else edits.push({ kind: '-', line: before[column - diagonal - 1] as string });
    diagonal += inserted ? -1 : 1;
  }
  return removalsFirst(edits.reverse());
}

// In a row of changes the order is free; people read what was there before what is there now.
function removalsFirst(edits: readonly Edit[]): Edit[] {
  const sorted: Edit[] = [];
  let added: Edit[] = [];
  for (const edit of edits) {
    if (edit.kind === '+') {
      added.push(edit);
      continue;
    }
    if (edit.kind === ' ') {
      sorted.push(...added);
      added = [];
    }
    sorted.push(edit);
  }
  return [...sorted, ...added];
}
