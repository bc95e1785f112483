import { Worker } from 'node:worker_threads';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import type { PdfAnswer } from './pdf-worker.ts';

export interface PdfTexts {
  /**
   * The text of a PDF, page by page. `name` is for messages. Errors: `attachment_not_supported` when it cannot be read, holds no
   * text or takes more than it may; `overloaded` when too many wait.
   */
  read(name: string, bytes: Buffer, budget: PdfBudget): Promise<readonly string[]>;
}

/** What all PDF files of one request may still take together. */
export interface PdfBudget {
  milliseconds: number;
}

/** Of a new request. */
export const newBudget = (): PdfBudget => ({ milliseconds: 20_000 });

/** What one PDF may take: a few hundred bytes can ask for gigabytes. */
export interface PdfLimits {
  readonly milliseconds: number;
  /** Outside the heap, where what is unpacked lies. */
  readonly megabytes: number;
  readonly characters: number;
}

const standard: PdfLimits = { milliseconds: 10_000, megabytes: 128, characters: 1024 * 1024 };
const heapMegabytes = 256;
const atOnce = 2;
const mostWaiting = 8;
const lookEvery = 25;

/** Reads each PDF in a thread of its own, which ends with it: what a document does to its reader meets no other document. */
export function createPdfTexts(options: { readonly clock: Clock; readonly limits?: PdfLimits }): PdfTexts {
  const { clock, limits = standard } = options;
  let running = 0;
  const waiting: (() => void)[] = [];

  const enter = async () => {
    if (running < atOnce) {
      running += 1;
      return;
    }
    if (waiting.length >= mostWaiting) {
      throw new AppError('overloaded', 'Too many PDF files are being read. Try again in a few seconds.', {
        retryAfterSeconds: 2,
      });
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const leave = () => {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  };

  return {
    async read(name, bytes, budget) {
      await enter();
      const started = clock.monotonic();
      try {
        const milliseconds = Math.min(limits.milliseconds, budget.milliseconds);
        const answer = await readApart(bytes, { ...limits, milliseconds }, clock);
        if ('refused' in answer) throw unreadable(name, reasons[answer.refused] ?? reasons.damaged);
        const characters = answer.pages.reduce((sum, page) => sum + page.length, 0);
        if (characters > limits.characters) throw unreadable(name, 'has more text than a megabyte. Send a part of it.');
        if (answer.pages.every((page) => page.trim() === '')) throw unreadable(name, reasons.blank);
        return answer.pages;
      } finally {
        budget.milliseconds -= clock.monotonic() - started;
        leave();
      }
    },
  };
}

const reasons = {
  damaged: 'cannot be read. Check that it opens elsewhere, or save it anew.',
  password: 'asks for a password. Save it without one.',
  costly: 'takes too long or too much memory to read. Send a part of it, or its text.',
  blank: 'has no text in it, as scanned pages have none. Use a model that takes PDF, or send the pages as images.',
} as Readonly<Record<string, string>> & { readonly damaged: string; readonly blank: string };

type Outcome = PdfAnswer | { readonly refused: 'costly' };

function readApart(bytes: Buffer, limits: PdfLimits, clock: Clock): Promise<Outcome> {
  const worker = new Worker(new URL('./pdf-worker.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
    // What a reader of documents has to say of them belongs in no log.
    stdout: true,
    stderr: true,
  });
  return new Promise<Outcome>((resolve) => {
    const end = (outcome: Outcome) => {
      late.cancel();
      watch?.cancel();
      over = true;
      resolve(outcome);
      void worker.terminate();
    };
    let over = false;
    let watch: ReturnType<Clock['after']> | undefined;
    const late = clock.after(Math.max(0, limits.milliseconds), () => end({ refused: 'costly' }));
    // The limits of a thread count its heap only; what it unpacks lies outside.
    const look = async () => {
      const { external_memory = 0 } = await worker.getHeapStatistics().catch(() => ({ external_memory: 0 }));
      if (over) return;
      if (external_memory > limits.megabytes * 1024 * 1024) end({ refused: 'costly' });
      else watch = clock.after(lookEvery, () => void look());
    };
    worker.once('message', (answer: PdfAnswer) => end(answer));
    worker.once('error', () => end({ refused: 'costly' }));
    worker.once('exit', () => end({ refused: 'costly' }));
    worker.postMessage(new Uint8Array(bytes));
    void look();
  });
}

function unreadable(name: string, reason: string): AppError {
  return new AppError('attachment_not_supported', `The PDF ${name} ${reason}`, { pointer: '/attachments' });
}
