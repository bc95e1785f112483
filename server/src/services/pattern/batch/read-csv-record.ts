import type { BatchItem } from '@damask/contracts/batch-operations.ts';
import { findBrokenUtf8 } from './broken-utf8.ts';
import { splitFields } from './csv-records.ts';
import { type LineFault, unreadable } from './line-fault.ts';

/** What a column of the file gives to a run. */
export interface CsvColumn {
  readonly kind: 'input' | 'variable' | 'metadata';
  readonly name: string;
}

const metadataName = /^(?!__proto__$)[A-Za-z0-9_.-]{1,64}$/;
const mostColumns = 121;

/** The header: `input`, names of variables, and `metadata.<name>` for what only goes along. */
export function readCsvHeader(line: number, bytes: Buffer, variables: readonly string[]): CsvColumn[] | LineFault {
  const text = readText(line, bytes);
  if (typeof text !== 'string') return text;
  const fields = splitFields(text, mostColumns + 1);
  const columns: CsvColumn[] = [];
  const seen = new Set<string>();
  for (const { value, at } of fields) {
    const name = value.trim();
    const refuse = (detail: string) => unreadable(line, at + 1, detail);
    if (fields.length === 1 && /[;\t]/.test(name)) {
      return refuse('The columns are not separated by commas. Save the file as CSV with commas.');
    }
    if (name === '') return refuse('The header has a column without a name.');
    if (seen.has(name)) return refuse(`The header names the column ${quoted(name)} twice.`);
    if (seen.size >= mostColumns) return refuse(`The header has more than ${mostColumns} columns.`);
    seen.add(name);
    const rest = name.startsWith('metadata.') ? name.slice('metadata.'.length) : undefined;
    if (name === 'input') columns.push({ kind: 'input', name });
    else if (variables.includes(name)) columns.push({ kind: 'variable', name });
    else if (rest !== undefined && metadataName.test(rest)) columns.push({ kind: 'metadata', name: rest });
    else {
      const known = ['input', ...variables].slice(0, 20).join(', ');
      return refuse(
        `The header names the column ${quoted(name)}, which the pattern does not know. It knows ${known}; call a column metadata.<name> if it should only go along.`,
      );
    }
  }
  return columns;
}

/** One record as an item. An empty cell gives nothing; "" in quotes gives the empty text. */
export function readCsvRecord(line: number, bytes: Buffer, columns: readonly CsvColumn[]): BatchItem | LineFault {
  const text = readText(line, bytes);
  if (typeof text !== 'string') return text;
  const fields = splitFields(text, columns.length + 1);
  if (fields.length !== columns.length) {
    const column = (fields[columns.length]?.at ?? text.length) + 1;
    return unreadable(
      line,
      column,
      `The line has ${fields.length > columns.length ? 'more fields' : `fewer fields (${fields.length})`} than the header (${columns.length}).`,
    );
  }
  const variables: Record<string, string> = {};
  const metadata: Record<string, string> = {};
  let input: string | undefined;
  for (const [index, { value, quoted }] of fields.entries()) {
    const { kind, name } = columns[index] as CsvColumn;
    if (value === '' && !quoted) continue;
    if (kind === 'input') input = value;
    else if (kind === 'variable') variables[name] = value;
    else if (value.length > 500) {
      const detail = 'Metadata may have 500 characters.';
      const column = (fields[index]?.at ?? 0) + 1;
      return { line, column, code: 'invalid_line', pointer: `/metadata/${name}`, detail };
    } else metadata[name] = value;
  }
  if (Object.keys(metadata).length > 20) return unreadable(line, null, 'A line may have 20 fields of metadata.');
  return {
    ...(input === undefined ? {} : { input }),
    ...(Object.keys(variables).length > 0 ? { variables } : {}),
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
  };
}

function readText(line: number, bytes: Buffer): string | LineFault {
  const broken = findBrokenUtf8(bytes);
  if (broken > 0) return unreadable(line, broken, 'The bytes from here on are not UTF-8. Save the file as UTF-8.');
  const text = bytes.toString('utf8');
  const nul = text.indexOf('\0');
  if (nul >= 0) return unreadable(line, nul + 1, 'The character NUL is not allowed.');
  const bare = text.indexOf('\r');
  if (bare >= 0 && !text.includes('"')) {
    return unreadable(line, bare + 1, 'A carriage return stands inside the line. End lines with LF or CRLF.');
  }
  return text;
}

const quoted = (name: string) => JSON.stringify(name.length > 60 ? `${name.slice(0, 59)}…` : name);
