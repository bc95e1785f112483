import { type LineFault, unreadable } from './line-fault.ts';

/** The bytes of a record without the end of its line, or why there is none. */
export type CsvRecord = { readonly line: number; readonly bytes: Buffer } | LineFault;

const newline = 0x0a;
const carriageReturn = 0x0d;
const quote = 0x22;
const comma = 0x2c;
const nothing = Buffer.alloc(0);

/**
 * Cuts CSV (RFC 4180, commas) into records while it comes. A malformed record costs itself alone: reading goes on at the end
 * of its line. No record holds more than `limit` bytes in memory; one that is longer is passed over to its own end, quotes
 * and all, so that the lines of a long cell are never taken for records.
 */
export function createCsvRecords(limit: number): { take(bytes: Buffer, last: boolean): Iterable<CsvRecord> } {
  let rest: Buffer = nothing;
  /** Where the record began that is being read: its line, and what of it was scanned. */
  let line = 1;
  let at = 0;
  let quoted = false;
  /** Offset of the quote that is open, and of the next one from `at` on. */
  let opened = 0;
  let nextQuote = -2;
  let fault: LineFault | undefined;
  /** Only a record with quotes can span lines. */
  let spans = false;
  /** The record is too long: why, and the lines of it that were let go of. */
  let dropped: LineFault | undefined;
  let droppedLines = 0;

  const place = (start: number, offset: number) => {
    const before = rest.subarray(start, offset);
    const lineStart = before.lastIndexOf(newline) + 1;
    return { line: line + countLines(before), column: before.subarray(lineStart).toString('utf8').length + 1 };
  };

  const blame = (start: number, offset: number, detail: string) => {
    const found = place(start, offset);
    fault ??= unreadable(found.line, found.column, detail);
    quoted = false;
  };

  /** False when more bytes are needed to tell. */
  const closeQuote = (start: number, last: boolean): boolean => {
    const end = rest.indexOf(quote, at);
    if (end < 0) {
      at = rest.length;
      return false;
    }
    const next = rest[end + 1];
    const afterNext = rest[end + 2];
    if (!last && (next === undefined || (next === carriageReturn && afterNext === undefined))) {
      at = end;
      return false;
    }
    if (next === quote) {
      at = end + 2;
      return true;
    }
    at = end + 1;
    quoted = false;
    const ends =
      next === undefined ||
      next === comma ||
      next === newline ||
      (next === carriageReturn && (afterNext ?? newline) === newline);
    if (!ends) blame(start, end + 1, 'After a closing quote a comma or the end of the line is expected.');
    return true;
  };

  const record = (start: number, end: number): CsvRecord => {
    const found = dropped ?? fault;
    const bytes = rest.subarray(start, end > start && rest[end - 1] === carriageReturn ? end - 1 : end);
    const first = line;
    line += 1 + droppedLines + (spans ? countLines(bytes) : 0);
    fault = undefined;
    dropped = undefined;
    spans = false;
    droppedLines = 0;
    quoted = false;
    if (found) return found;
    return bytes.length > limit ? tooLong(first, limit) : { line: first, bytes };
  };

  /** Lets go of what was scanned of a record that grows beyond the limit, but for a byte: a quote looks at what is before it. */
  const drop = () => {
    if (quoted && !dropped) {
      const found = place(0, opened);
      const detail = `The line is longer than ${limit} bytes: does the quote that opens here close?`;
      dropped = { ...unreadable(found.line, found.column, detail), code: 'too_large' };
    }
    dropped ??= tooLong(line, limit);
    droppedLines += countLines(rest.subarray(0, at - 1));
    rest = rest.subarray(at - 1);
    at = 1;
  };

  return {
    *take(bytes, last) {
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      nextQuote = -2;
      let start = 0;
      while (at < rest.length) {
        if (quoted) {
          if (!closeQuote(start, last)) break;
          continue;
        }
        if (nextQuote !== -1 && nextQuote < at) nextQuote = rest.indexOf(quote, at);
        const end = rest.indexOf(newline, at);
        if (!fault && nextQuote >= 0 && (end < 0 || nextQuote < end)) {
          if (nextQuote === start || rest[nextQuote - 1] === comma) {
            quoted = true;
            spans = true;
            opened = nextQuote;
            at = nextQuote + 1;
          } else {
            blame(
              start,
              nextQuote,
              'A quote stands inside a field. Put the field in quotes and write the quote twice.',
            );
            at = nextQuote + 1;
          }
          continue;
        }
        if (end < 0) {
          at = rest.length;
          break;
        }
        yield record(start, end);
        start = at = end + 1;
      }
      if (last) {
        if (quoted) blame(start, opened, 'The quote that opens here does not close.');
        if (fault || start < rest.length) yield record(start, rest.length);
        return;
      }
      opened -= start;
      rest = start === 0 ? rest : rest.subarray(start);
      at -= start;
      if (rest.length > limit) drop();
    },
  };
}

/** A field of a record, whether it stood in quotes, and where it begins. */
export interface CsvField {
  readonly value: string;
  readonly quoted: boolean;
  readonly at: number;
}

/** The fields of a record that `createCsvRecords` passed, `most` at most: a line may be commas only, and each costs memory. */
export function splitFields(text: string, most: number): CsvField[] {
  const fields: CsvField[] = [];
  for (let at = 0; at <= text.length && fields.length < most; ) {
    if (text[at] !== '"') {
      const end = text.indexOf(',', at);
      const value = text.slice(at, end < 0 ? text.length : end);
      fields.push({ value, quoted: false, at });
      at += value.length + 1;
      continue;
    }
    let end = text.indexOf('"', at + 1);
    while (text[end + 1] === '"') end = text.indexOf('"', end + 2);
    fields.push({ value: text.slice(at + 1, end).replaceAll('""', '"'), quoted: true, at });
    at = end + 2;
  }
  return fields;
}

export function tooLong(line: number, limit: number): LineFault {
  return { ...unreadable(line, null, `The line is longer than ${limit} bytes. Send less in it.`), code: 'too_large' };
}

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) count += 1;
  return count;
}
