import { existsSync, readSync } from 'node:fs';
import { InputError } from './input-error.ts';
import type { Terminal } from './terminal.ts';

const limit = 64 * 1024 * 1024;

/** The text of a run: what the arguments say, then what comes on the standard input, as Fabric joins them. */
export async function readInput(words: readonly string[], terminal: Terminal): Promise<string> {
  const given = words.join(' ');
  if (words.length === 1 && /[./]/.test(given) && given.length < 4_096 && existsSync(given)) {
    terminal.note(`The model gets the name ${given}, not the file. To run on what is in it: < ${given}`);
  }
  if (terminal.stdinIsTerminal) {
    if (words.length > 0) return given;
    terminal.note(terminal.paintNote('dim', 'type or paste the text; end with Ctrl-D on a line of its own'));
  }
  const bytes = await readStandardInput();
  if (!process.getBuiltinModule('node:buffer').isUtf8(bytes)) {
    throw new InputError(
      'The standard input is not UTF-8 text. Convert it first, for example: iconv -f latin1 -t utf-8',
    );
  }
  const piped = bytes.toString('utf8');
  if (given === '' || piped === '') return given + piped;
  return `${given}\n${piped}`;
}

// Read synchronously: loading a stream for it would cost a tenth of the whole start.
async function readStandardInput(): Promise<Buffer> {
  const parts: Buffer[] = [];
  let total = 0;
  const take = (part: Buffer) => {
    parts.push(part);
    total += part.length;
    if (total > limit) throw new InputError('The standard input is larger than 64 MiB. Give a run less text.');
  };
  for (;;) {
    const buffer = Buffer.allocUnsafe(65_536);
    try {
      const length = readSync(0, buffer);
      if (length === 0) break;
      take(buffer.subarray(0, length));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') break;
      if (code !== 'EAGAIN') throw unreadable(error);
      // Another program made the pipe non-blocking.
      for await (const part of process.stdin) take(part as Buffer);
      break;
    }
  }
  return Buffer.concat(parts);
}

function unreadable(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  return new InputError(
    `The standard input cannot be read (${code}). Pipe a text into the command, or give it < /dev/null.`,
  );
}
