import { Type } from 'typebox';

/** Names of patterns, strategies and providers, as Fabric writes them; never a path. */
export const namePattern = '^[a-z0-9][a-z0-9_-]{0,99}$';

export const Name = Type.String({
  pattern: namePattern,
  description: 'Lower case letters, digits, _ and -; at most 100.',
});
export const Id = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
  description: 'A UUID in lower case.',
});
export const Time = Type.String({ format: 'date-time', maxLength: 40, description: 'RFC 3339, UTC.' });
export const Digest = Type.String({ pattern: '^sha256:[0-9a-f]{64}$' });
export const MicroUnits = Type.Integer({ description: 'Millionths of the currency unit, rounded up.' });

/** What every list takes. `limit` is a number of rows. */
export const page = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Type.String({ maxLength: 512 })),
};

/** What every list answers; `next` is absent on the last page. */
export function pageOf<Row extends import('typebox').TSchema>(row: Row) {
  return Type.Object({ items: Type.Array(row), next: Type.Optional(Type.String()) });
}

/** Refuses unknown fields, as every input must. */
export function strict<Fields extends import('typebox').TProperties>(fields: Fields) {
  return Type.Object(fields, { additionalProperties: false });
}

export const None = strict({});
