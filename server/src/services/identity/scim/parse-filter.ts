import { invalid } from './scim-error.ts';

/** One comparison of a filter. Several hold together. */
export interface Condition {
  /** In lower case and without the name of its schema: `emails.value`. */
  readonly attribute: string;
  /** Of `emails[type eq "work"].value`: what stands in the brackets. */
  readonly within: readonly Condition[];
  readonly operator: 'eq' | 'co' | 'sw';
  readonly value: string | boolean;
}

const mostConditions = 10;
const attribute = /^\s*([a-z$][\w$:.-]*)/i;
const brackets = /^\[((?:[^\]"]|"(?:[^"\\]|\\.)*")*)\](?:\.([a-z$][\w$-]*))?/i;
const comparison = /^\s+(eq|co|sw)\s+("(?:[^"\\]|\\.)*"|true|false)\s*/i;
const conjunction = /^and(?=\s)/i;
const coreSchema = /^urn:ietf:params:scim:schemas:core:2\.0:(?:user|group):/;

/** Reads a filter of RFC 7644 (3.4.2.2) as far as it is spoken here. Errors: `invalid_request` at `pointer`. */
export function parseFilter(text: string, pointer = '/filter'): Condition[] {
  const conditions: Condition[] = [];
  let rest = text;
  for (;;) {
    const next = readCondition(rest, pointer);
    conditions.push(next.condition);
    rest = next.rest;
    if (rest === '') return conditions;
    const and = conjunction.exec(rest);
    if (!and || conditions.length >= mostConditions) throw notSpoken(pointer);
    rest = rest.slice(and[0].length);
  }
}

function readCondition(text: string, pointer: string): { condition: Condition; rest: string } {
  const name = attribute.exec(text);
  if (!name) throw notSpoken(pointer);
  let rest = text.slice(name[0].length);
  const inside = brackets.exec(rest);
  if (inside) rest = rest.slice(inside[0].length);
  const compared = comparison.exec(rest);
  if (!compared) throw notSpoken(pointer);
  const [, operator = '', literal = ''] = compared;
  return {
    condition: {
      attribute: plainName(inside?.[2] ? `${name[1]}.${inside[2]}` : (name[1] as string)),
      within: inside ? parseFilter(inside[1] as string, pointer) : [],
      operator: operator.toLowerCase() as Condition['operator'],
      value: readLiteral(literal, pointer),
    },
    rest: rest.slice(compared[0].length),
  };
}

/** `urn:...:User:userName` as `username`. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(coreSchema, '');
}

function readLiteral(literal: string, pointer: string): string | boolean {
  if (!literal.startsWith('"')) return literal.toLowerCase() === 'true';
  try {
    const value = JSON.parse(literal) as string;
    if (!value.includes('\0') && value.isWellFormed()) return value;
  } catch {
    // Told below.
  }
  throw notSpoken(pointer);
}

function notSpoken(pointer: string) {
  return invalid(
    pointer,
    `A filter has at most ${mostConditions} comparisons by eq, co or sw with "and" between them, such as userName eq "ada@example.com".`,
  );
}
