import type { DetectorKind, Redaction } from '@damask/contracts/guard.ts';
import { createExpressionFinder, type ExpressionFinder } from './expression-finder.ts';
import { findCards, findEmails, findIbans, findPhones } from './find-personal.ts';
import { findSecrets } from './find-secrets.ts';
import { type Detector, type Finding, inOrder, replaceFindings } from './finding.ts';
import { findInPlain } from './plain-letters.ts';

/** What is looked for. */
export type RedactionRules = Pick<Redaction, 'kinds' | 'expressions'>;

/** How often what was found, by its kind. */
export type FoundCounts = Readonly<Record<string, number>>;

export function addCounts(one: FoundCounts, other: FoundCounts): FoundCounts {
  const sum: Record<string, number> = { ...one };
  for (const [kind, count] of Object.entries(other)) sum[kind] = (sum[kind] ?? 0) + count;
  return sum;
}

export interface Redactor {
  find(text: string): readonly Finding[];
  /** The text with `[email]` in the place of an address; counts what was found in `counts`. */
  redact(text: string, counts: Record<string, number>): string;
}

export const detectors: Readonly<Record<DetectorKind, Detector>> = {
  secret: findSecrets,
  card: findCards,
  email: findEmails,
  phone: findPhones,
  iban: findIbans,
};

const made = new Map<string, ExpressionFinder>();
const mostMade = 500;

/** The finder of an expression; those that were used lately are kept. Throws a plain Error where it is not possible. */
export function finderOf(expression: string): ExpressionFinder {
  const known = made.get(expression);
  if (known) return known;
  const finder = createExpressionFinder(expression);
  if (made.size >= mostMade) made.clear();
  made.set(expression, finder);
  return finder;
}

export function createRedactor({ kinds, expressions }: RedactionRules): Redactor {
  const find = (text: string): readonly Finding[] => {
    const found = findInPlain(text, (plain) => kinds.flatMap((kind) => detectors[kind](plain)));
    for (const { name, expression } of expressions) {
      for (const [start, end] of finderOf(expression).find(text)) found.push({ start, end, kind: name });
    }
    return inOrder(found);
  };
  return {
    find,
    redact(text, counts) {
      const found = find(text);
      for (const { kind } of found) counts[kind] = (counts[kind] ?? 0) + 1;
      return replaceFindings(text, found);
    },
  };
}
