import { tooLong } from './csv-records.ts';
import type { LineFault } from './line-fault.ts';

const newline = 0x0a;
const carriageReturn = 0x0d;
const nothing = Buffer.alloc(0);

/** Cuts bytes into lines while they come; none holds more than `limit` bytes in memory. Empty lines come, too. */
export function createTextLines(limit: number): {
  take(bytes: Buffer, last: boolean): Iterable<{ readonly line: number; readonly bytes: Buffer } | LineFault>;
} {
  let rest: Buffer = nothing;
  let line = 1;
  let at = 0;
  let dropped = false;

  const cut = (start: number, end: number) => {
    const bytes = rest.subarray(start, end > start && rest[end - 1] === carriageReturn ? end - 1 : end);
    const found = dropped || bytes.length > limit ? tooLong(line, limit) : { line, bytes };
    dropped = false;
    line += 1;
    return found;
  };

  return {
    *take(bytes, last) {
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      let start = 0;
      for (let end = rest.indexOf(newline, at); end >= 0; end = rest.indexOf(newline, start)) {
        yield cut(start, end);
        start = end + 1;
      }
      if (last) {
        if (dropped || start < rest.length) yield cut(start, rest.length);
        return;
      }
      rest = rest.subarray(start);
      if (rest.length > limit) {
        dropped = true;
        rest = nothing;
      }
      at = rest.length;
    },
  };
}
