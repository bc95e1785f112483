import { BatchItem } from '@damask/contracts/batch-operations.ts';
import { toAppError } from '#platform/app-error.ts';
import { closingQuote } from '#platform/json-reader.ts';
import { buildCheck } from '#platform/schema-check.ts';
import { parseStrictJson } from '#platform/strict-json.ts';
import { findBrokenUtf8 } from './broken-utf8.ts';
import { type LineFault, unreadable } from './line-fault.ts';

const check = buildCheck(BatchItem);
const limits = { maxDepth: 4, maxKeys: 200, maxValues: 1_000 };

/** One line of JSONL: an object with input, variables and metadata. */
export function readJsonLine(line: number, bytes: Buffer): BatchItem | LineFault {
  const broken = findBrokenUtf8(bytes);
  if (broken > 0) return unreadable(line, broken, 'The bytes from here on are not UTF-8. Save the file as UTF-8.');
  let value: unknown;
  try {
    value = parseStrictJson(bytes, limits);
  } catch (error) {
    const { message, details } = toAppError(error);
    const pointer = details.pointer || null;
    const text = bytes.toString('utf8');
    const named = /at character (\d+)/.exec(message)?.[1];
    const column = named === undefined ? columnOf(text, pointer) : Number(named);
    const detail = message.replace('The body must be one strict JSON value:', 'The line must be one JSON object:');
    return { ...unreadable(line, column, detail), pointer };
  }
  const problem = check(value);
  if (!problem) return value as BatchItem;
  const { pointer } = problem;
  const what = pointer === '' ? 'The line' : pointer.slice(1).replaceAll('/', '.');
  const hint = pointer === '' ? ' Write {"input": "...", "variables": {...}}.' : '';
  return {
    line,
    column: columnOf(bytes.toString('utf8'), pointer),
    code: 'invalid_line',
    pointer: pointer === '' ? null : pointer,
    detail: `${what} ${problem.detail}${problem.detail.endsWith('.') ? '' : '.'}${hint}`,
  };
}

/** Where the last key of this name begins, from 1; 1 where there is none. */
export function columnOf(text: string, pointer: string | null): number {
  const key = pointer?.split('/').at(-1)?.replaceAll('~1', '/').replaceAll('~0', '~');
  if (!key) return 1;
  const token = JSON.stringify(key);
  let found = 0;
  for (let at = text.indexOf('"'); at >= 0; ) {
    const end = closingQuote(text, at);
    if (end - at + 1 === token.length && text.startsWith(token, at) && /^\s*:/.test(text.slice(end + 1, end + 20)))
      found = at;
    at = text.indexOf('"', end + 1);
  }
  return found + 1;
}
