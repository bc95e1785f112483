import type { Condition } from './chain-plan.ts';
import { type ChainScope, resolveReference, toText } from './resolve-reference.ts';

/** Whether all conditions hold; true for none. */
export function judgeWhen(conditions: readonly Condition[], scope: ChainScope): boolean {
  return conditions.every((condition) => holds(condition, resolveReference(condition.ref, scope)));
}

function holds({ test, value }: Condition, found: unknown): boolean {
  switch (test) {
    case 'exists':
      return isThere(found) === value;
    case 'equals':
      return same(found, value);
    case 'not_equals':
      return !same(found, value);
    case 'contains':
      if (Array.isArray(found)) return found.some((entry) => same(entry, value));
      return isThere(found) && toText(found).includes(String(value));
    case 'above':
      return toNumber(found) > Number(value);
    case 'below':
      return toNumber(found) < Number(value);
  }
}

/** Null, nothing and an empty text are not there. */
const isThere = (found: unknown) => found !== undefined && found !== null && toText(found).trim() !== '';

// A model's answer often ends with a line break, and 3 may have been written as "3".
const same = (found: unknown, wanted: unknown) =>
  found !== undefined && found !== null && toText(found).trim() === String(wanted).trim();

/** What is no number is neither above nor below one. */
function toNumber(found: unknown): number {
  if (typeof found === 'number') return found;
  return typeof found === 'string' && found.trim() !== '' ? Number(found) : Number.NaN;
}
