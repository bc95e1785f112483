/** The server could not be started for a command. */
export class StartError extends Error {
  override readonly name = 'StartError';
  /** Another server has the address or the data, perhaps for a moment only. */
  readonly busy: boolean;

  constructor(message: string, busy = false) {
    super(message);
    this.busy = busy;
  }
}
