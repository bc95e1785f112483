import { createHash } from 'node:crypto';

const lineFeed = 0x0a;
const tab = 0x09;

/** Counts and digests rows as COPY writes them: a line feed ends a row and cannot be inside one. */
export function createRowCount() {
  const hash = createHash('sha256');
  let rows = 0;
  let bytes = 0;
  return {
    add(chunk: Buffer) {
      hash.update(chunk);
      bytes += chunk.length;
      for (let at = chunk.indexOf(lineFeed); at !== -1; at = chunk.indexOf(lineFeed, at + 1)) rows += 1;
    },
    end: () => ({ rows, bytes, sha256: hash.digest('hex') }),
  };
}

/**
 * Takes `by` from a whole number in one column of each row. Numbers of transactions mean nothing in another cluster: moved
 * together, below those that it will give out itself, they keep their order, and cursors stay right.
 */
export function shiftColumn(source: AsyncIterable<Buffer>, column: number, by: bigint): AsyncGenerator<Buffer> {
  return changeColumn(source, column, (value) => (value === '\\N' ? value : String(BigInt(value) - by)));
}

/** Leaves the values of one column out of each row, so that rows can be compared without them. */
export function blankColumn(source: AsyncIterable<Buffer>, column: number): AsyncGenerator<Buffer> {
  return changeColumn(source, column, () => '');
}

type Change = (value: string) => string;

async function* changeColumn(source: AsyncIterable<Buffer>, column: number, change: Change): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const chunk of source) {
    const cut = chunk.lastIndexOf(lineFeed) + 1;
    if (cut === 0) {
      rest.push(chunk);
      continue;
    }
    const whole = Buffer.concat([...rest, chunk.subarray(0, cut)]);
    rest = cut < chunk.length ? [chunk.subarray(cut)] : [];
    yield changeRows(whole, column, change);
  }
  if (rest.length > 0) throw new Error('A table ends in the middle of a row');
}

function changeRows(rows: Buffer, column: number, change: Change): Buffer {
  const pieces: Buffer[] = [];
  let kept = 0;
  for (let row = 0; row < rows.length; ) {
    const end = rows.indexOf(lineFeed, row);
    let from = row;
    for (let skipped = 0; skipped < column; skipped++) from = rows.indexOf(tab, from) + 1;
    const next = rows.indexOf(tab, from);
    const to = next === -1 || next > end ? end : next;
    pieces.push(rows.subarray(kept, from), Buffer.from(change(rows.toString('latin1', from, to))));
    kept = to;
    row = end + 1;
  }
  pieces.push(rows.subarray(kept));
  return Buffer.concat(pieces);
}
