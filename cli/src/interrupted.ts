/** Why a command gave up: a signal, or a reader that went away. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly exitCode: number;
  /** Nobody reads the output any more, so there is nothing to tell. */
  readonly quiet: boolean;

  constructor(exitCode: number, quiet: boolean) {
    super('interrupted');
    this.exitCode = exitCode;
    this.quiet = quiet;
  }
}
