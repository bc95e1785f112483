import { type Static, Type } from 'typebox';
import { strict } from './field.ts';

/** What the platform finds in texts by itself. */
export const detectorKinds = ['secret', 'card', 'email', 'phone', 'iban'] as const;
export type DetectorKind = (typeof detectorKinds)[number];

export const DetectorKind = Type.Unsafe<DetectorKind>(Type.Union(detectorKinds.map((kind) => Type.Literal(kind))));

/** Names of checks and of expressions; of an expression also what stands in its place: `[customer]`. */
export const guardName = '^[a-z][a-z0-9_-]{0,49}$';
export const expressionLimit = 200;

export const NamedExpression = strict({
  name: Type.String({ pattern: guardName, description: 'Stands in the place of what is taken out: [name].' }),
  expression: Type.String({
    minLength: 1,
    maxLength: expressionLimit,
    description: 'A regular expression without look-around and back references.',
  }),
});

/** What is taken out of texts before they are stored. */
export const Redaction = Type.Object({
  kinds: Type.Array(DetectorKind, { maxItems: 5 }),
  expressions: Type.Array(NamedExpression, { maxItems: 20 }),
  model: Type.Boolean({ description: 'True: the model does not get to see it either.' }),
});
export type Redaction = Static<typeof Redaction>;

export const OnFail = Type.Union([Type.Literal('block'), Type.Literal('flag'), Type.Literal('mask')], {
  description: 'block: the run fails. flag: it is noted on the run. mask: what was found is taken out.',
});
export type OnFail = Static<typeof OnFail>;

/** What an answer must not hold. */
export const OutputCheck = Type.Object({
  name: Type.String(),
  detect: Type.Array(DetectorKind),
  words: Type.Array(Type.String()),
  expressions: Type.Array(Type.String()),
  prompt_leak: Type.Boolean({ description: 'It gives away the instructions of the pattern.' }),
  on_fail: OnFail,
});
export type OutputCheck = Static<typeof OutputCheck>;

/** What a check found in an answer. */
export const RunFlag = Type.Object({
  check: Type.String({ description: 'Name of the check in pattern.yaml.' }),
  found: Type.String({ description: 'secret, card, email, phone, iban, words, expressions or prompt.' }),
  count: Type.Integer({ description: 'How often.' }),
  action: OnFail,
  step: Type.Optional(Type.String({ description: 'Of a chain: the step whose answer it was.' })),
});
export type RunFlag = Static<typeof RunFlag>;

/** Something that an author should look at. It keeps nothing from being saved. */
export const PatternWarning = Type.Object({
  code: Type.Union([Type.Literal('untrusted_in_system'), Type.Literal('invisible_text')]),
  file: Type.String(),
  line: Type.Integer(),
  detail: Type.String(),
});
export type PatternWarning = Static<typeof PatternWarning>;
export const warningCodes = ['untrusted_in_system', 'invisible_text'] as const satisfies PatternWarning['code'][];
