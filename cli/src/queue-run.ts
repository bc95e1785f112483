import type { Damask, Run } from '@damask/sdk';
import type { RunInput } from './run-pattern.ts';
import type { Terminal } from './terminal.ts';

/** Queues a run and prints its id: the answer is fetched later. */
export async function queueRun(
  { terminal, flags }: { readonly terminal: Terminal; readonly flags: { readonly json?: boolean | undefined } },
  damask: Damask,
  input: RunInput,
): Promise<void> {
  await printQueued(terminal, flags.json === true, await damask.runs.start(input));
}

/** The id goes to stdout, so that a script can keep it. */
export async function printQueued(terminal: Terminal, json: boolean, run: Run): Promise<void> {
  if (json) return terminal.print(JSON.stringify(run, null, 2));
  await terminal.print(run.id);
  if (terminal.stderrIsTerminal) terminal.note(terminal.paintNote('dim', `Follow it: damask watch ${run.id}`));
}
