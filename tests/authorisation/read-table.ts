import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Row = Readonly<Record<string, string>>;

/** A hand-kept table beside this file: comma-separated, the first line names the columns, `#` begins a remark. */
export function readTable(file: string): Row[] {
  const lines = readFileSync(join(import.meta.dirname, file), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const [names = [], ...rows] = lines.map((line) => line.split(',').map((cell) => cell.trim()));
  return rows.map((cells, i) => {
    if (cells.length !== names.length) throw new Error(`${file}: "${lines[i + 1]}" does not fit the columns`);
    return Object.fromEntries(names.map((name, at) => [name, cells[at] as string]));
  });
}

/** Keys that only one of the two has, as sentences; empty when they are the same. */
export function compareKeys(table: string, listed: readonly string[], live: readonly string[]): string[] {
  const twice = listed.filter((key, i) => listed.indexOf(key) !== i);
  return [
    ...live.filter((key) => !listed.includes(key)).map((key) => `${key} is not in ${table}: add its row by hand`),
    ...listed.filter((key) => !live.includes(key)).map((key) => `${key} is in ${table}, but does not exist any more`),
    ...twice.map((key) => `${key} is in ${table} twice`),
  ];
}
