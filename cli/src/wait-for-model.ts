import { DamaskError } from '@damask/sdk';
import type { ServerAccess, ServerProgress } from './command.ts';
import { formatBytes } from './figures.ts';
import type { Terminal } from './terminal.ts';

const longestWaitMs = 600_000;

/** Calls again while the server says that its local model is on the way; nothing has been run until then. */
export async function waitForModel<Result>(
  access: ServerAccess,
  terminal: Terminal,
  call: () => Promise<Result>,
): Promise<Result> {
  const started = Date.now();
  let told = false;
  let progress: ServerProgress | undefined;
  access.onProgress((event) => {
    progress = event;
  });
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const waited = Date.now() - started;
      if (!isOnTheWay(error) || waited > longestWaitMs || access.signal.aborted) throw error;
      if (!told) terminal.note(terminal.paintNote('dim', `${error.detail} Waiting for it; Ctrl-C gives up.`));
      told = true;
      await showAndPause(access.signal, terminal, Math.min(Math.max(error.retryAfter, 1), 15), () =>
        describe(Date.now() - started, progress),
      );
    }
  }
}

function isOnTheWay(error: unknown): error is DamaskError & { retryAfter: number } {
  return error instanceof DamaskError && error.code === 'no_model' && error.retryAfter !== undefined;
}

// Loaded only when there is something to wait for.
const pause = (ms: number, signal: AbortSignal) =>
  process.getBuiltinModule('node:timers/promises').setTimeout(ms, undefined, { signal });

async function showAndPause(
  signal: AbortSignal,
  terminal: Terminal,
  seconds: number,
  text: () => string,
): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    terminal.status(text());
    await pause(1_000, signal);
  }
  terminal.status('');
}

function describe(ms: number, progress: ServerProgress | undefined): string {
  const share = progress?.total ? ` of ${formatBytes(progress.total)}` : '';
  const bytes = progress ? `, ${formatBytes(progress.received)}${share}` : '';
  return `waiting for the local model: ${Math.round(ms / 1_000)} s${bytes}`;
}
