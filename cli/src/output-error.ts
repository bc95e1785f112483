/** The answer could not be written to stdout, for a reason other than that nobody reads it. */
export class OutputError extends Error {
  override readonly name = 'OutputError';

  constructor(code: string | undefined) {
    const why = code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full' : 'it cannot be written there';
    super(
      `The output could not be written: ${why} (${code}). Send it elsewhere; a finished run is kept: damask runs show last --output`,
    );
  }
}
