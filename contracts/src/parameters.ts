import { type Static, Type } from 'typebox';
import { strict } from './field.ts';

export const ModelName = Type.String({
  minLength: 3,
  maxLength: 300,
  pattern: '^[a-z0-9][a-z0-9_-]{0,99}/[A-Za-z0-9][A-Za-z0-9._:/@+-]*$',
});

export const Parameters = strict({
  temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2 })),
  top_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  presence_penalty: Type.Optional(Type.Number({ minimum: -2, maximum: 2 })),
  frequency_penalty: Type.Optional(Type.Number({ minimum: -2, maximum: 2 })),
  max_tokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_147_483_647 })),
  reasoning_effort: Type.Optional(
    Type.Union([
      Type.Literal('none'),
      Type.Literal('minimal'),
      Type.Literal('low'),
      Type.Literal('medium'),
      Type.Literal('high'),
    ]),
  ),
  stop: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { minItems: 1, maxItems: 4 })),
});
export type Parameters = Static<typeof Parameters>;
