/** The command line is wrong. The message says how to write it. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}

/** A flag that the command does not have. */
export class UnknownFlagError extends UsageError {
  override readonly name = 'UnknownFlagError';
  /** As it was written: `-y`, `--youtube`. */
  readonly flag: string;

  constructor(message: string, flag: string) {
    super(message);
    this.flag = flag;
  }
}
