/** The server could not be started for a command, or could not do what this command asked of it. */
export class StartError extends Error {
  override readonly name = 'StartError';
  /** Another server has the address or the data, perhaps for a moment only. */
  readonly busy: boolean;
  /** What it needs is out of reach now. */
  readonly tryLater: boolean;

  constructor(message: string, { busy = false, tryLater = false } = {}) {
    super(message);
    this.busy = busy;
    this.tryLater = tryLater;
  }
}
