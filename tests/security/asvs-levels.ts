import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCsvTable } from '../../scripts/csv-table.ts';

/** Which requirements of ASVS 5.0.0 the house answers, by id, with their levels: all of 1 and 2, and some of 3. */
export function requiredIds(): ReadonlyMap<string, string> {
  const ids = new Map<string, string>();
  for (const { section, levels = '', chosen } of readLevels()) {
    const numbers = (chosen ?? '').split(' ');
    [...levels].forEach((level, index) => {
      const number = String(index + 1);
      if (level !== '3' || numbers.includes(number)) ids.set(`${section}.${number}`, level);
    });
  }
  return ids;
}

/** How many requirements the standard has of each level. */
export function countLevels(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { levels = '' } of readLevels()) {
    for (const level of levels) counts[level] = (counts[level] ?? 0) + 1;
  }
  return counts;
}

const readLevels = () => readCsvTable(readFileSync(join(import.meta.dirname, 'asvs-levels.csv'), 'utf8'));
