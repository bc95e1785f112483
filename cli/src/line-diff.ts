/** One line of a difference: kept, taken away or put in. */
export interface DiffLine {
  readonly kind: ' ' | '-' | '+';
  readonly text: string;
}

/** Past this many changes a text counts as rewritten: the search costs their square. */
const mostChanges = 1_000;

/** The shortest list of lines that leads from one text to the other (Myers, 1986). Texts end without their last line end. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  const least = Math.min(before.length, after.length) - head;
  while (tail < least && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  const kept = (lines: readonly string[]) => lines.map((text): DiffLine => ({ kind: ' ', text }));
  return [
    ...kept(before.slice(0, head)),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...kept(before.slice(before.length - tail)),
  ];
}

function middle(a: readonly string[], b: readonly string[]): DiffLine[] {
  const removed = a.map((text): DiffLine => ({ kind: '-', text }));
  const added = b.map((text): DiffLine => ({ kind: '+', text }));
  if (a.length === 0 || b.length === 0) return [...removed, ...added];
  const trace = search(a, b);
  return trace ? walkBack(a, b, trace) : [...removed, ...added];
}

/** For each number of changes, the furthest place on each diagonal before it. */
function search(a: readonly string[], b: readonly string[]): Map<number, number>[] | undefined {
  const trace: Map<number, number>[] = [];
  let furthest = new Map([[1, 0]]);
  for (let changes = 0; changes <= Math.min(a.length + b.length, mostChanges); changes++) {
    trace.push(furthest);
    const next = new Map<number, number>();
    for (let k = -changes; k <= changes; k += 2) {
      let x = step(furthest, k, changes);
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      next.set(k, x);
      if (x >= a.length && x - k >= b.length) return trace;
    }
    furthest = next;
  }
  return undefined;
}

function step(furthest: ReadonlyMap<number, number>, k: number, changes: number): number {
  const left = furthest.get(k - 1) ?? -1;
  const above = furthest.get(k + 1) ?? -1;
  return k === -changes || (k !== changes && left < above) ? above : left + 1;
}

function walkBack(a: readonly string[], b: readonly string[], trace: readonly Map<number, number>[]): DiffLine[] {
  const lines: DiffLine[] = [];
  let [x, y] = [a.length, b.length];
  for (let changes = trace.length - 1; changes >= 0; changes--) {
    const furthest = trace[changes] as Map<number, number>;
    const k = x - y;
    const down = k === -changes || (k !== changes && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1));
    const beforeX = furthest.get(down ? k + 1 : k - 1) ?? 0;
    const beforeY = beforeX - (down ? k + 1 : k - 1);
    while (x > beforeX && y > beforeY) {
      lines.push({ kind: ' ', text: a[x - 1] ?? '' });
      [x, y] = [x - 1, y - 1];
    }
    if (changes === 0) break;
    lines.push(down ? { kind: '+', text: b[y - 1] ?? '' } : { kind: '-', text: a[x - 1] ?? '' });
    [x, y] = [beforeX, beforeY];
  }
  return lines.reverse();
}
