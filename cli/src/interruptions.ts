import { Interrupted } from './interrupted.ts';
import type { Terminal } from './terminal.ts';

const numbers = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/** A signal that aborts on Ctrl-C and its like, and when nobody reads stdout any more. The second Ctrl-C ends at once. */
export function interruptions(terminal: Terminal): AbortSignal {
  const controller = new AbortController();
  for (const [name, number] of Object.entries(numbers)) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(128 + number);
      controller.abort(new Interrupted(128 + number, false));
    });
  }
  terminal.onClosed((reason) => controller.abort(reason));
  return controller.signal;
}
