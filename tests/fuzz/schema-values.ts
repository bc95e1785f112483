import fc from 'fast-check';
import type { Shape } from '../sample-input.ts';

interface FullShape extends Shape {
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly FullShape[];
}

/** What fits none of our fields, or only by chance. */
export const wildValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom<unknown>(
    ...[
      null,
      '',
      ' ',
      [],
      {},
      0,
      -1,
      -0,
      1.5,
      1e308,
      2 ** 53,
      true,
      '\u0000',
      '\ud800',
      '\u202e',
      '../..',
      '%00',
      "'--",
    ],
    ...[
      'a'.repeat(10_000),
      '__proto__',
      'constructor',
      '9'.repeat(400),
      '{{x}}',
      '{{> x}}',
      '1e400',
      'null',
      '2026-02-30',
    ],
    ...[JSON.parse('{"__proto__": {"x": 1}}'), { constructor: { prototype: {} } }, Array(300).fill(null), nested(40)],
  ),
);

function nested(depth: number): unknown {
  return depth === 0 ? 1 : { x: [nested(depth - 1)] };
}

/** Values that a schema allows, as far as it can be told from its own words. */
export function fittingValue(shape: FullShape): fc.Arbitrary<unknown> {
  if ('const' in shape) return fc.constant(shape.const);
  if (shape.enum) return fc.constantFrom(...shape.enum);
  if (shape.anyOf) return fc.oneof(...shape.anyOf.map(fittingValue));
  const { minimum, maximum } = shape;
  switch (shape.type) {
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'integer':
      return fc.oneof(
        fc.integer({ min: minimum ?? -1_000, max: Math.min(maximum ?? 2 ** 31, Math.max(minimum ?? 0, 2 ** 31)) }),
        fc.constantFrom(minimum ?? 0, maximum ?? 1),
      );
    case 'number':
      return fc.double({ min: minimum ?? -1e6, max: maximum ?? 1e6, noNaN: true });
    case 'array':
      return fc.array(fittingValue(shape.items ?? {}), {
        minLength: shape.minItems ?? 0,
        maxLength: Math.max(shape.minItems ?? 0, Math.min(shape.maxItems ?? 3, 3)),
      });
    case 'object':
      return fittingObject(shape);
    case 'string':
      return fittingText(shape);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function fittingObject({ properties = {}, required = [], patternProperties = {} }: FullShape): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, fittingValue(field)]));
  const named = fc.record(fields, { requiredKeys: [...required] });
  const [free] = Object.entries(patternProperties);
  if (!free) return named;
  const more = fc.dictionary(textLike(free[0]), fittingValue(free[1]), { maxKeys: 3 });
  return fc.tuple(named, more).map(([known, added]) => ({ ...added, ...known }));
}

function fittingText({ pattern, format, minLength = 0, maxLength = 60 }: FullShape): fc.Arbitrary<string> {
  if (format === 'date-time') {
    const between = { min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true };
    return fc.date(between).map((date) => date.toISOString());
  }
  if (pattern !== undefined) return textLike(pattern);
  const longest = Math.max(minLength, Math.min(maxLength, 60));
  return fc.string({ unit: 'grapheme', minLength, maxLength: longest });
}

function textLike(pattern: string): fc.Arbitrary<string> {
  try {
    return fc.stringMatching(new RegExp(pattern, 'u'), { size: 'small' });
  } catch {
    // What looks ahead cannot be made from its expression.
    return fc.string({ maxLength: 20 });
  }
}

/** One step beyond a bound of the schema, or a field too many or too few. */
export function nearValue(shape: FullShape): fc.Arbitrary<unknown> {
  const { minimum, maximum, minLength, maxLength, maxItems } = shape;
  const beyond: unknown[] = [];
  if (minimum !== undefined) beyond.push(minimum - 1, minimum - 0.5, String(minimum));
  if (maximum !== undefined) beyond.push(maximum + 1, maximum + 0.5);
  if (minLength) beyond.push('x'.repeat(minLength - 1));
  if (maxLength !== undefined && maxLength < 100_000) beyond.push('x'.repeat(maxLength), 'x'.repeat(maxLength + 1));
  if (maxItems !== undefined && maxItems < 2_000) beyond.push(Array(maxItems + 1).fill('x'));
  const choices: fc.Arbitrary<unknown>[] = beyond.length > 0 ? [fc.constantFrom(...beyond)] : [];
  if (shape.type === 'object') {
    const whole = fittingObject(shape) as fc.Arbitrary<object>;
    choices.push(whole.map((value) => ({ ...value, unknown: 1 })));
    choices.push(whole.map((value) => Object.fromEntries(Object.entries(value).slice(1))));
  }
  if (shape.type === 'string') choices.push(fittingText(shape).map((text) => `${text}\n`));
  return choices.length > 0 ? fc.oneof(...choices) : wildValue;
}
