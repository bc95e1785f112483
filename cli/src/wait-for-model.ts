import { DamaskError } from '@damask/sdk';
import type { ServerAccess, ServerProgress } from './command.ts';
import { formatBytes } from './figures.ts';
import type { Terminal } from './terminal.ts';

const longestModelWaitMs = 600_000;
const longestStartWaitMs = 60_000;
/** A server that this command started looks for models during its first seconds. */
const graceMs = 10_000;

type Waiting = DamaskError & { readonly retryAfter: number };

/** Calls again while the server starts or its local model is on the way; nothing has been run until then. */
export async function waitForModel<Result>(
  access: ServerAccess,
  terminal: Terminal,
  call: () => Promise<Result>,
): Promise<Result> {
  const began = Date.now();
  let told = false;
  let progress: ServerProgress | undefined;
  access.onProgress((event) => {
    progress = event;
  });
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (access.signal.aborted || !isWorthWaiting(error, Date.now() - began, access.startedServer())) throw error;
      if (!told) terminal.note(terminal.paintNote('dim', 'the model is not here yet: waiting; Ctrl-C gives up'));
      told = true;
      for (let i = 0; i < secondsUntilNext(error); i++) {
        terminal.status(describe(Date.now() - began, progress));
        await pause(1_000, access.signal);
      }
      terminal.status('');
    }
  }
}

// The server asks for 1 s with any 503, for 30 s when a fetch has failed, and for a few while one is under way.
function isWorthWaiting(error: unknown, waitedMs: number, startedHere: boolean): error is Waiting {
  if (!(error instanceof DamaskError) || error.retryAfter === undefined || error.runId !== undefined) return false;
  if (error.code === 'unavailable') return waitedMs < longestStartWaitMs;
  if (error.code !== 'no_model') return false;
  if (startedHere && waitedMs < graceMs) return true;
  return error.retryAfter > 1 && error.retryAfter <= 15 && waitedMs < longestModelWaitMs;
}

function secondsUntilNext({ code, retryAfter }: Waiting): number {
  return code === 'unavailable' ? 1 : Math.min(retryAfter, 3);
}

// Loaded only when there is something to wait for.
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return process.getBuiltinModule('node:timers/promises').setTimeout(ms, undefined, { signal });
}

function describe(ms: number, progress: ServerProgress | undefined): string {
  const share = progress?.total ? ` of ${formatBytes(progress.total)}` : '';
  const bytes = progress ? `, ${formatBytes(progress.received)}${share}` : '';
  return `waiting for the model: ${Math.round(ms / 1_000)} s${bytes}`;
}
