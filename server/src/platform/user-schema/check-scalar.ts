import { canonical } from './canonical.ts';
import type { LinearRegexp } from './linear-regexp.ts';

/** Whether the value has one of the types; true when there is no such keyword. */
export function typeOf(value: unknown, types: unknown): boolean {
  if (types === undefined) return true;
  return (Array.isArray(types) ? types : [types]).some((type) => isOfType(value, type));
}

function isOfType(value: unknown, type: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

/** What is wrong with the value itself, whatever it holds; null when nothing is. */
export function scalarProblem(
  schema: Readonly<Record<string, unknown>>,
  value: unknown,
  patternOf: (source: string) => LinearRegexp,
): string | null {
  if (!typeOf(value, schema.type)) return `must be ${[schema.type].flat().join(' or ')}`;
  if (Array.isArray(schema.enum)) {
    const wanted = canonical(value);
    if (!schema.enum.some((allowed) => canonical(allowed) === wanted)) {
      return `must be one of ${JSON.stringify(schema.enum).slice(0, 300)}`;
    }
  }
  if (schema.const !== undefined && canonical(schema.const) !== canonical(value)) {
    return `must be ${JSON.stringify(schema.const).slice(0, 300)}`;
  }
  if (typeof value === 'number') return numberProblem(schema, value);
  return typeof value === 'string' ? textProblem(schema, value, patternOf) : null;
}

function numberProblem(schema: Readonly<Record<string, unknown>>, value: number): string | null {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema as Record<
    string,
    number | undefined
  >;
  if (minimum !== undefined && value < minimum) return `must be at least ${minimum}`;
  if (maximum !== undefined && value > maximum) return `must be at most ${maximum}`;
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) return `must be more than ${exclusiveMinimum}`;
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) return `must be less than ${exclusiveMaximum}`;
  if (multipleOf !== undefined) {
    const times = value / multipleOf;
    // 0.3 / 0.1 is 2.9999999999999996.
    if (Math.abs(times - Math.round(times)) > 1e-9 * Math.max(1, Math.abs(times)))
      return `must be a multiple of ${multipleOf}`;
  }
  return null;
}

function textProblem(
  schema: Readonly<Record<string, unknown>>,
  value: string,
  patternOf: (source: string) => LinearRegexp,
): string | null {
  const { minLength, maxLength, pattern, format } = schema;
  if (typeof minLength === 'number' || typeof maxLength === 'number') {
    let length = 0;
    for (const _ of value) length += 1;
    if (typeof minLength === 'number' && length < minLength) return `must have at least ${minLength} characters`;
    if (typeof maxLength === 'number' && length > maxLength) return `must have at most ${maxLength} characters`;
  }
  if (typeof pattern === 'string' && !patternOf(pattern).test(value)) return `must match ${pattern}`;
  const known = formats.get(format as string);
  return known === undefined || known(value) ? null : `must be a ${String(format)}`;
}

// Formats that others define are notes for the reader, as the specification has it.
const formats = new Map<string, (text: string) => boolean>([
  ['date', isDate],
  [
    'date-time',
    (text) => {
      const parts = /^(\d{4}-\d{2}-\d{2})[Tt]\d{2}:[0-5]\d:[0-6]\d(\.\d{1,20})?([Zz]|[+-]\d{2}:[0-5]\d)$/.exec(text);
      return parts !== null && isDate(parts[1] as string) && Number(text.slice(11, 13)) < 24;
    },
  ],
  ['uuid', (text) => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text)],
  ['email', (text) => text.length <= 320 && /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)*$/.test(text)],
  ['uri', (text) => /^[A-Za-z][A-Za-z0-9+.-]*:/.test(text) && URL.canParse(text)],
]);

function isDate(text: string): boolean {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (parts === null) return false;
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number];
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
