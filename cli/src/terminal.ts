import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { Interrupted } from './interrupted.ts';
import { OutputError } from './output-error.ts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

const codes: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

/** Where results and notes go. Results are the command's answer on stdout; everything else goes to stderr. */
export interface Terminal {
  /** Columns of stdout; undefined when it is a pipe or a file. */
  readonly width: number | undefined;
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** A person sits at one of them. */
  readonly isInteractive: boolean;
  /** Writes to stdout: to a pipe or file byte for byte, to a terminal without control characters. */
  result(text: string): Promise<void>;
  /** Writes bytes to stdout as they are; never to a terminal. */
  bytes(data: Uint8Array): Promise<void>;
  /** Writes lines of our own making, which may hold colours, to stdout. */
  print(text: string): Promise<void>;
  /** Sends a sequence for the terminal itself, past stdout where that is no terminal. */
  control(sequence: string): Promise<void>;
  /** Resolves when all results have left; throws when they could not. */
  settled(): Promise<void>;
  /** Writes a line to stderr. */
  note(text: string): void;
  /** Writes to stderr without a line end. */
  prompt(text: string): void;
  /** Replaces the last line of stderr; '' removes it. Only on a terminal. */
  status(text: string): void;
  paint(style: Style, text: string): string;
  paintNote(style: Style, text: string): string;
  /** Called when nobody reads stdout any more, or it takes no more. */
  onClosed(listen: (reason: Error) => void): void;
}

export function openTerminal(): Terminal {
  const stdinIsTerminal = isatty(0);
  const stdoutIsTerminal = isatty(1);
  const stderrIsTerminal = isatty(2);
  let colours: boolean | undefined;
  const paint = (style: Style, text: string, terminal: boolean) => {
    if (!terminal || text === '') return text;
    // Node asks NO_COLOR and TERM for us.
    colours ??= (stdoutIsTerminal ? process.stdout : process.stderr).hasColors();
    return colours ? `\x1b[${codes[style]}m${text}\x1b[0m` : text;
  };
  let closed: Error | undefined;
  let listener: ((reason: Error) => void) | undefined;
  let opened = false;
  let statusShown = false;
  let written: Promise<void> | undefined;

  const write = async (text: string | Uint8Array): Promise<void> => {
    if (closed) throw closed;
    if (text === '') return;
    if (!opened) {
      opened = true;
      process.stdout.on('error', (error: NodeJS.ErrnoException) => {
        closed = error.code === 'EPIPE' ? new Interrupted(0, true) : new OutputError(error.code);
        listener?.(closed);
      });
    }
    if (statusShown) status('');
    const { promise, resolve } = Promise.withResolvers<void>();
    written = promise;
    if (process.stdout.write(text, () => resolve())) return;
    await promise;
    if (closed) throw closed;
  };
  const status = (text: string) => {
    if (!stderrIsTerminal || (text === '' && !statusShown)) return;
    const columns = process.stderr.columns || 80;
    writeNote(`\r\x1b[2K${printable(text).slice(0, columns - 1)}`);
    statusShown = text !== '';
  };

  return {
    get width() {
      return stdoutIsTerminal ? process.stdout.columns || 80 : undefined;
    },
    stdinIsTerminal,
    stdoutIsTerminal,
    stderrIsTerminal,
    isInteractive: stdinIsTerminal || stdoutIsTerminal || stderrIsTerminal,
    result: (text) => write(stdoutIsTerminal ? printable(text) : text),
    bytes: write,
    print: (text) => write(`${text}\n`),
    note: (text) => {
      if (statusShown) status('');
      writeNote(`${text}\n`);
    },
    prompt: writeNote,
    status,
    control: async (sequence) => {
      if (stdoutIsTerminal) await write(sequence);
      else if (stderrIsTerminal) writeNote(sequence);
    },
    async settled() {
      await written;
      if (closed) throw closed;
    },
    paint: (style, text) => paint(style, text, stdoutIsTerminal),
    paintNote: (style, text) => paint(style, text, stderrIsTerminal),
    onClosed: (listen) => {
      listener = listen;
      if (closed) listen(closed);
    },
  };
}

/** Text without what could move the cursor, retitle the window or reach the clipboard. */
export function printable(text: string): string {
  return text.replaceAll('\r', '').replace(/(?![\n\t])\p{Cc}/gu, '\uFFFD');
}

// Notes are rare and short: writing them directly saves loading a stream. Nobody reads them: that is fine too.
function writeNote(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // stderr is closed or full.
  }
}
