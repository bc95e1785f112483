import { createWriteStream } from 'node:fs';
import { type Damask, DamaskError } from '@damask/sdk';
import { isOver } from './batch-progress.ts';
import { OutputError } from './output-error.ts';
import type { LineFormat } from './read-upload.ts';
import type { Terminal } from './terminal.ts';

export interface ResultsWanted {
  readonly batch: string;
  readonly format: LineFormat;
  readonly after?: number | undefined;
  /** Until the batch has ended, as its lines end. */
  readonly wait: boolean;
  /** A file; else the standard output. */
  readonly output: string | undefined;
}

const breaksAllowed = 5;
const lookEvery = 500;
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Writes results while they come. Where the connection breaks, JSONL goes on after the last line that was written. */
export async function writeResults(damask: Damask, terminal: Terminal, wanted: ResultsWanted): Promise<void> {
  const { batch, format } = wanted;
  // CSV cannot go on in the middle, so it is asked for when all of it is there.
  const wait = wanted.wait && format === 'jsonl';
  if (wanted.wait && !wait) while (!isOver(await damask.batches.read({ batch }))) await pause(lookEvery);
  const out = openOutput(terminal, wanted.output);
  let after = wanted.after ?? 0;
  try {
    for (let breaks = 0; ; ) {
      let wrote = false;
      try {
        for await (const text of wholeLines(damask.batches.resultBytes({ batch, format, after, wait }))) {
          await out.write(text);
          wrote = true;
          if (format === 'jsonl') after = lastLineOf(text) ?? after;
        }
        // A long wait ends now and then, with the batch or without.
        if (!wait || isOver(await damask.batches.read({ batch }))) {
          if (!wait || !wrote) return;
        }
      } catch (error) {
        const broken = error instanceof DamaskError && (error.code === 'truncated' || error.code === 'unreachable');
        breaks = wrote ? 1 : breaks + 1;
        if (!broken || format === 'csv' || breaks > breaksAllowed) throw error;
        await pause(500 * breaks);
      }
    }
  } finally {
    await out.end();
  }
}

/** Texts that end with a line end; a last line that broke off is dropped. */
async function* wholeLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let rest = '';
  for await (const piece of bytes) {
    rest += decoder.decode(piece, { stream: true });
    const end = rest.lastIndexOf('\n') + 1;
    if (end > 0) yield rest.slice(0, end);
    rest = rest.slice(end);
  }
}

function lastLineOf(text: string): number | undefined {
  const start = text.lastIndexOf('\n', text.length - 2) + 1;
  const [, line] = /^\{"line":(\d+)/.exec(text.slice(start, start + 40)) ?? [];
  return line === undefined ? undefined : Number(line);
}

function openOutput(terminal: Terminal, path: string | undefined) {
  if (path === undefined) return { write: (text: string) => terminal.result(text), end: async () => undefined };
  const file = createWriteStream(path);
  let failure: NodeJS.ErrnoException | undefined;
  let wake = () => {};
  file.on('error', (error: NodeJS.ErrnoException) => {
    failure = error;
    wake();
  });
  file.on('drain', () => wake());
  const check = () => {
    if (failure) throw new OutputError(failure.code);
  };
  return {
    async write(text: string) {
      check();
      if (!file.write(text)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      check();
    },
    async end() {
      if (!failure) await new Promise<void>((resolve) => file.end(() => resolve()));
      check();
    },
  };
}
