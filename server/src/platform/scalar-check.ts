export interface CheckProblem {
  /** JSON pointer to the value that is wrong. */
  readonly pointer: string;
  /** What is expected there, to be read after the name of the field: "must be an integer". */
  readonly detail: string;
}

/** Null when the value fits. */
export type Check = (value: unknown) => CheckProblem | null;

export interface Checker {
  readonly check: Check;
  /** What is expected, to be read after "must be". */
  readonly says: string;
}

/** A schema read as plain JSON. */
export type Keywords = Readonly<Record<string, unknown>>;

export function here(detail: string): CheckProblem {
  return { pointer: '', detail };
}

/** A keyword that has to be a number when it is there. */
export function numberOf(keywords: Keywords, name: string): number | undefined {
  const value = keywords[name];
  if (value !== undefined && typeof value !== 'number') throw new Error(`${name} must be a number in a schema`);
  return value;
}

export function textOf(keywords: Keywords, name: string): string | undefined {
  const value = keywords[name];
  if (value !== undefined && typeof value !== 'string') throw new Error(`${name} must be a string in a schema`);
  return value;
}

const formats: Readonly<Record<string, { readonly test: (text: string) => boolean; readonly says: string }>> = {
  'date-time': { test: isDateTime, says: 'a time such as 2026-01-31T12:00:00Z (RFC 3339)' },
  uuid: { test: isUuid, says: 'a UUID' },
};

export const stringKeywords = ['minLength', 'maxLength', 'pattern', 'format'];

export function stringChecker(keywords: Keywords): Checker {
  const least = numberOf(keywords, 'minLength') ?? 0;
  const most = numberOf(keywords, 'maxLength') ?? Number.POSITIVE_INFINITY;
  const source = textOf(keywords, 'pattern');
  const pattern = source === undefined ? undefined : new RegExp(source, 'u');
  const formatName = textOf(keywords, 'format');
  const format = formatName === undefined ? undefined : formats[formatName];
  if (formatName !== undefined && format === undefined) throw new Error(`the format ${formatName} is not known here`);
  const description = textOf(keywords, 'description');
  const mismatch = description === undefined ? `must match ${source}` : `does not fit: ${description}`;

  const check: Check = (value) => {
    if (typeof value !== 'string') return here('must be a string');
    if (value.length < least * 2 && value.length - pairs(value) < least) {
      return here(least === 1 ? 'must not be empty' : `must have at least ${least} characters`);
    }
    if (value.length > most && (value.length > most * 2 || value.length - pairs(value) > most)) {
      return here(`must have at most ${most} characters`);
    }
    if (pattern !== undefined && !pattern.test(value)) return here(mismatch);
    if (format !== undefined && !format.test(value)) return here(`must be ${format.says}`);
    return null;
  };
  return { check, says: format?.says ?? 'a string' };
}

// JSON Schema counts code points; a surrogate pair is one of them and has two units.
function pairs(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length - 1; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      count += 1;
      i += 1;
    }
  }
  return count;
}

const dateTime = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:Z|[+-](\d{2}):(\d{2}))$/i;

// Narrower than RFC 3339 where JavaScript or PostgreSQL cannot follow: year 0, leap seconds, offsets from 16 hours on.
function isDateTime(text: string): boolean {
  const parts = dateTime.exec(text);
  if (parts === null) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offsetHour = 0, offsetMinute = 0] = parts
    .slice(1)
    .map((part) => Number(part ?? 0));
  if (year === 0 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return false;
  if (offsetHour > 15 || offsetMinute > 59) return false;
  return day <= new Date(Date.UTC(year + 400, month, 0)).getUTCDate();
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function isUuid(text: string): boolean {
  return uuid.test(text);
}

export const numberKeywords = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'];

/** `whole`: integers that a double holds exactly, and no negative zero. */
export function numberChecker(keywords: Keywords, whole: boolean): Checker {
  const least = numberOf(keywords, 'minimum') ?? Number.NEGATIVE_INFINITY;
  const most = numberOf(keywords, 'maximum') ?? Number.POSITIVE_INFINITY;
  const above = numberOf(keywords, 'exclusiveMinimum') ?? Number.NEGATIVE_INFINITY;
  const below = numberOf(keywords, 'exclusiveMaximum') ?? Number.POSITIVE_INFINITY;
  const says = whole ? 'an integer' : 'a number';
  const bounds = [
    least > Number.NEGATIVE_INFINITY ? `at least ${least}` : '',
    most < Number.POSITIVE_INFINITY ? `at most ${most}` : '',
    above > Number.NEGATIVE_INFINITY ? `more than ${above}` : '',
    below < Number.POSITIVE_INFINITY ? `less than ${below}` : '',
  ].filter((bound) => bound !== '');

  const check: Check = (value) => {
    if (typeof value !== 'number' || !(whole ? Number.isSafeInteger(value) : Number.isFinite(value))) {
      return here(`must be ${says}`);
    }
    if (whole && Object.is(value, -0)) return here('must be 0, not -0');
    if (value < least || value > most || value <= above || value >= below)
      return here(`must be ${bounds.join(' and ')}`);
    return null;
  };
  return { check, says };
}

/** `const` and the choice between several of them. */
export function literalChecker(allowed: readonly unknown[]): Checker {
  for (const value of allowed) {
    if (value !== null && typeof value === 'object') throw new Error('const must be a scalar in a schema');
  }
  const values = new Set(allowed);
  const list = allowed.map((value) => JSON.stringify(value)).join(', ');
  const says = allowed.length === 1 ? list : `one of ${list}`;
  return { check: (value) => (values.has(value) ? null : here(`must be ${says}`)), says };
}
