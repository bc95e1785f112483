import { accessSync, constants, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { InputError } from './input-error.ts';
import type { Terminal } from './terminal.ts';

/** Refuses a file that could not be written, before a run is paid for. */
export function checkOutput(path: string | undefined): void {
  if (path === undefined) return;
  try {
    const existing = statSync(path, { throwIfNoEntry: false });
    if (existing?.isDirectory()) throw new InputError(`${path} is a folder. Name a file for -o.`);
    // The slash asks for a folder: a file in its place is ENOTDIR.
    accessSync(existing ? path : `${dirname(path)}/`, constants.W_OK);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      `${path} cannot be written (${(error as NodeJS.ErrnoException).code}). Name another file for -o.`,
    );
  }
}

/** Writes a finished result to stdout, and to the file of -o as Fabric does. */
export async function writeOutput(terminal: Terminal, text: string, path: string | undefined): Promise<void> {
  writeOutputFile(text, path);
  await terminal.result(endLine(text));
}

/** Writes the file of -o; what was streamed is on stdout already. */
export function writeOutputFile(text: string, path: string | undefined): void {
  if (path === undefined) return;
  try {
    writeFileSync(path, endLine(text));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(`${path} could not be written (${code}). The run is kept: damask runs show last`);
  }
}

/** A text ends with a line end, so that files and prompts stay apart. */
export function endLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
