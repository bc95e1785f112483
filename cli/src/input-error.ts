type InputErrorKind = 'badInput' | 'notFound' | 'refused' | 'unreachable';

/** What a person gave cannot be used: a file, a name, a key. The message says what to do; the kind is the exit code's. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly kind: InputErrorKind;

  constructor(message: string, kind: InputErrorKind = 'badInput') {
    super(message);
    this.kind = kind;
  }
}
