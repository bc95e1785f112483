import type { Shape } from '../sample-input.ts';

/** A value that does not fit, and where inside it the fault is: a JSON pointer, empty for the value itself. */
export interface WrongValue {
  readonly value: unknown;
  readonly at: string;
}

const here = (...values: unknown[]): WrongValue[] => values.map((value) => ({ value, at: '' }));
const inside = (step: string | number, wrong: readonly WrongValue[], wrap: (value: unknown) => unknown): WrongValue[] =>
  wrong.map(({ value, at }) => ({ value: wrap(value), at: `/${step}${at}` }));

/** Longest text that is worth sending. */
const longestText = 600_000;

/** Values that a field of this shape must refuse: of every other type, and beyond each of its bounds. */
export function wrongValues(shape: Shape): WrongValue[] {
  const [value, ...others] = (shape.anyOf ?? []).filter((branch) => branch.type !== 'null');
  if (value && others.length === 0) return wrongValues(value).filter((wrong) => wrong.value !== null);
  if (shape.anyOf ?? 'const' in shape) {
    const types = (shape.anyOf ?? [shape]).map((branch) => typeof branch.const);
    return here('nonsense', '', null, [], {}, ...(types.includes('boolean') ? [] : [true]), 0);
  }
  switch (shape.type) {
    case 'string':
      return here(1, 0, true, false, null, [], {}, ['x'], { text: 'x' }, ...wrongTexts(shape));
    case 'integer':
      return here('1', '', true, null, [], {}, [1], 1.5, -0, 2 ** 53, -(2 ** 53), 1e300, ...wrongNumbers(shape));
    case 'number':
      return here('1', '', true, null, [], {}, [1], ...wrongNumbers(shape));
    case 'boolean':
      return here('true', 'false', '', 0, 1, null, [], {});
    case 'array':
      return wrongArrays(shape);
    case 'object':
      return wrongObjects(shape);
    default:
      throw new Error(`Wrong values are not known for ${JSON.stringify(shape)}`);
  }
}

function wrongTexts({ minLength = 0, maxLength, pattern, format }: Shape): string[] {
  const tries = [
    '',
    ' ',
    '..',
    '../x',
    'A B',
    'x\u0001',
    'é',
    '\u202e',
    '\u{e0041}',
    '-x',
    '/',
    'x/',
    '2026-02-30T00:00:00Z',
  ];
  const refused = tries.filter((text) => {
    if ([...text].length < minLength) return true;
    if (format === 'date-time') return true;
    return pattern !== undefined && !new RegExp(pattern, 'u').test(text);
  });
  if (maxLength !== undefined && maxLength < longestText)
    refused.push('a'.repeat(maxLength + 1), '😀'.repeat(maxLength + 1));
  return refused;
}

function wrongNumbers({ minimum, maximum }: Shape): number[] {
  return [
    ...(minimum === undefined ? [] : [minimum - 1, -1e15]),
    ...(maximum === undefined ? [] : [maximum + 1, Math.max(1e15, maximum * 2)]),
  ];
}

function wrongArrays({ items = {}, minItems = 0, maxItems }: Shape): WrongValue[] {
  const wrong = here('x', 1, true, null, {}, { 0: 'x', length: 1 });
  if (minItems > 0) wrong.push(...here([]));
  if (maxItems !== undefined) wrong.push(...here(Array.from({ length: maxItems + 1 }, () => 0)));
  return [...wrong, ...inside(0, wrongValues(items), (value) => [value])];
}

function wrongObjects(shape: Shape): WrongValue[] {
  const { properties, required = [], patternProperties, maxProperties, additionalProperties } = shape;
  const wrong = here('x', 1, true, null, [], [{}]);
  const [keys, values] = Object.entries(patternProperties ?? {})[0] ?? [];
  if (keys !== undefined && values) {
    for (const key of ['', ' ', '..', 'a b', '{{x}}', 'é', '$x', 'a'.repeat(200)].filter(
      (name) => !new RegExp(keys, 'u').test(name),
    )) {
      wrong.push({ value: { [key]: 'x' }, at: `/${key}` });
    }
    wrong.push(...inside('sample', wrongValues(values), (value) => ({ sample: value })));
    if (maxProperties !== undefined) {
      wrong.push(...here(Object.fromEntries(Array.from({ length: maxProperties + 1 }, (_, i) => [`k${i}`, 'x']))));
    }
    return wrong;
  }
  if (required.length > 0) wrong.push({ value: {}, at: `/${required[0]}` });
  if (additionalProperties !== true) wrong.push({ value: { unknown: 1 }, at: '/unknown' });
  for (const [name, field] of Object.entries(properties ?? {})) {
    wrong.push(...inside(name, wrongValues(field), (value) => ({ [name]: value })));
  }
  return wrong;
}

/** Texts that a query field of this shape must refuse; there everything is text. */
export function wrongQueryTexts(shape: Shape): string[] {
  if (shape.anyOf ?? 'const' in shape) return ['nonsense', '', '1', 'null'];
  if (shape.type === 'boolean') return ['yes', '1', '0', '', 'TRUE', 'null', ' true'];
  if (shape.type === 'integer') {
    const spellings = [
      '',
      'x',
      '1.5',
      '1e3',
      '1e9',
      '0x10',
      ' 5',
      '5 ',
      '+5',
      '05',
      '-0',
      'NaN',
      'Infinity',
      'true',
      'null',
    ];
    const huge = ['9007199254740993', '99999999999999999999', '-9007199254740993', '１', '1_0', '1,0', '[1]'];
    return [...spellings, ...huge, ...wrongNumbers(shape).map(String)];
  }
  return wrongTexts(shape);
}
