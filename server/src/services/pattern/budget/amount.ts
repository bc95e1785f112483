/** Money in millionths of a US dollar, and tokens that go in and come out. */
export interface Amount {
  readonly micros: number;
  readonly tokens: number;
}

export const nothing: Amount = { micros: 0, tokens: 0 };

export const plus = (a: Amount, b: Amount): Amount => ({ micros: a.micros + b.micros, tokens: a.tokens + b.tokens });
export const minus = (a: Amount, b: Amount): Amount => ({ micros: a.micros - b.micros, tokens: a.tokens - b.tokens });
export const least = (a: Amount, b: Amount): Amount => ({
  micros: Math.min(a.micros, b.micros),
  tokens: Math.min(a.tokens, b.tokens),
});

/** Limits of a budget. Null: none of this kind. */
export interface Limits {
  readonly limit_micros: number | null;
  readonly limit_tokens: number | null;
}

/** Whether `amount` fits into `room`, as far as there are limits. */
export function fits(amount: Amount, room: Amount, { limit_micros, limit_tokens }: Limits): boolean {
  return (
    (limit_micros === null || amount.micros <= room.micros) && (limit_tokens === null || amount.tokens <= room.tokens)
  );
}
