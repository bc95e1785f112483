/** The server could not be started for a command. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
