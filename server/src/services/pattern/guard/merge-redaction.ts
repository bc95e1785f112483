import type { Redaction } from '@damask/contracts/guard.ts';

/** All that any of them wants taken out; null where none wants anything. */
export function mergeRedaction(
  one: Redaction | null | undefined,
  other: Redaction | null | undefined,
): Redaction | null {
  if (!one || !other) return one ?? other ?? null;
  const known = new Set(one.expressions.map(({ name, expression }) => `${name} ${expression}`));
  const more = other.expressions.filter(({ name, expression }) => !known.has(`${name} ${expression}`));
  return {
    kinds: [...new Set([...one.kinds, ...other.kinds])],
    expressions: [...one.expressions, ...more],
    model: one.model || other.model,
  };
}
