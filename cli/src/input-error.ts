/** A file or the standard input cannot be used. The message says what to do. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly kind: 'badInput' | 'notFound';

  constructor(message: string, kind: 'badInput' | 'notFound' = 'badInput') {
    super(message);
    this.kind = kind;
  }
}
