import type { BatchItem } from '@damask/contracts/batch-operations.ts';
import { checkLine, type LineRules } from './check-line.ts';
import { createCsvRecords, splitFields } from './csv-records.ts';
import { createDuplicates } from './duplicate-lines.ts';
import { createLineChunks, type LineChunk } from './line-chunk.ts';
import { type LineFault, unreadable } from './line-fault.ts';
import { type CsvColumn, readCsvHeader, readCsvRecord } from './read-csv-record.ts';
import { columnOf, readJsonLine } from './read-json-line.ts';
import { createTextLines } from './text-lines.ts';

export interface ReadOptions {
  readonly format: 'csv' | 'jsonl';
  readonly rules: LineRules;
  /** Identical lines are told apart from their first one. */
  readonly deterministic: boolean;
  /** Bytes of a line; lines in all, good and bad. */
  readonly lineLimit: number;
  readonly linesLimit: number;
}

/** What a piece of an upload brought. */
export interface ReadPiece {
  readonly chunks: LineChunk[];
  readonly faults: LineFault[];
  /** The whole upload cannot be read, whatever may be accepted. */
  readonly fatal?: LineFault;
}

export interface LineReader {
  take(bytes: Buffer, last: boolean): ReadPiece;
}

const bom = Buffer.from([0xef, 0xbb, 0xbf]);

/** Reads an upload while it comes: good lines as chunks, bad ones as faults. Throws nothing that the upload could cause. */
export function createLineReader(options: ReadOptions): LineReader {
  const { format, rules, lineLimit, linesLimit } = options;
  const source = format === 'csv' ? createCsvRecords(lineLimit) : createTextLines(lineLimit);
  const chunks = createLineChunks();
  const duplicates = options.deterministic ? createDuplicates(linesLimit) : undefined;
  const names = rules.variables.map(({ name }) => name);
  let head: Buffer | undefined = Buffer.alloc(0);
  let columns: readonly CsvColumn[] | undefined;
  let lines = 0;
  let fatal: LineFault | undefined;

  /** The first bytes tell what it is, and lose their byte order mark. */
  const behead = (bytes: Buffer, last: boolean): Buffer | undefined => {
    if (head === undefined) return bytes;
    head = Buffer.concat([head, bytes]);
    if (head.length < 4 && !last) return undefined;
    const whole = head;
    head = undefined;
    const disguise = disguiseOf(whole);
    if (disguise !== undefined) fatal = unreadable(1, 1, disguise);
    return whole.subarray(0, 3).equals(bom) ? whole.subarray(3) : whole;
  };

  const read = (line: number, bytes: Buffer): BatchItem | LineFault => {
    const item = columns === undefined ? readJsonLine(line, bytes) : readCsvRecord(line, bytes, columns);
    if ('line' in item) return item;
    const where = (pointer: string) => {
      const text = bytes.toString('utf8');
      if (columns === undefined) return columnOf(text, pointer);
      const name = pointer.split('/').at(-1);
      const index = columns.findIndex((column) => column.name === name);
      return index < 0 ? null : (splitFields(text, index + 1)[index]?.at ?? 0) + 1;
    };
    return checkLine(rules, line, item, where) ?? item;
  };

  return {
    take(given, last) {
      const found: ReadPiece & { fatal?: LineFault } = { chunks: [], faults: [] };
      const bytes = behead(given, last);
      if (bytes === undefined) return found;
      for (const piece of fatal ? [] : source.take(bytes, last)) {
        const record = 'bytes' in piece ? piece : undefined;
        if (record?.bytes.length === 0) continue;
        if (format === 'csv' && columns === undefined) {
          const header = record ? readCsvHeader(record.line, record.bytes, names) : (piece as LineFault);
          if (!Array.isArray(header)) {
            fatal = header as LineFault;
            break;
          }
          columns = header;
          continue;
        }
        lines += 1;
        if (lines > linesLimit) {
          fatal = {
            ...unreadable(piece.line, null, `There are more than ${linesLimit} lines. Send several batches.`),
            code: 'too_large',
          };
          break;
        }
        const item = record ? read(record.line, record.bytes) : (piece as LineFault);
        if ('line' in item) {
          found.faults.push(item);
          continue;
        }
        const first = (item.metadata?.subject === undefined && duplicates?.firstWith(item, piece.line)) || piece.line;
        const full = chunks.add({ line: piece.line, ...item, ...(first === piece.line ? {} : { same: first }) });
        if (full) found.chunks.push(full);
      }
      if (last && !fatal && lines === 0) {
        fatal = unreadable(1, null, columns ? 'There is a header and no line.' : 'The upload is empty.');
      }
      const rest = last && !fatal ? chunks.flush() : undefined;
      if (rest) found.chunks.push(rest);
      return fatal ? { ...found, fatal } : found;
    },
  };
}

/** Files that people send by mistake. */
function disguiseOf(bytes: Buffer): string | undefined {
  const starts = (...first: number[]) => first.every((byte, index) => bytes[index] === byte);
  if (starts(0x1f, 0x8b) || starts(0x28, 0xb5, 0x2f, 0xfd) || starts(0x42, 0x5a, 0x68)) {
    return 'The upload is compressed. Unpack it and send the lines as they are.';
  }
  if (starts(0x50, 0x4b, 0x03, 0x04)) return 'This is a zip file or a workbook. Save the sheet as CSV and send that.';
  if (starts(0xff, 0xfe) || starts(0xfe, 0xff)) return 'The upload is UTF-16. Save the file as UTF-8.';
  return undefined;
}
