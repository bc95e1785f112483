/** `; did you mean X?` where one of the known words is nearly the word, else nothing. Words longer than 60 characters are not compared. */
export function nameClosest(word: string, known: readonly string[]): string {
  if (word.length > 60) return '';
  const ranked = known
    .map((candidate) => ({ candidate, distance: distanceOf(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [closest] = ranked;
  if (!closest || closest.distance > Math.max(1, Math.floor(closest.candidate.length / 3))) return '';
  return `; did you mean ${closest.candidate}`;
}

/** Changes, insertions and removals of one character, and swaps of neighbours, that lead from one word to the other. */
function distanceOf(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j - 1] ?? 0) + (same ? 0 : 1), (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
