import type { ServerProgress } from './command.ts';
import { formatBytes } from './figures.ts';
import type { Terminal } from './terminal.ts';

/** Shows a transfer: a bar on a terminal, else a line for every tenth of it. */
export function createProgressBar(terminal: Terminal, what: string): (event: ServerProgress) => void {
  let tenths = -1;
  return ({ received, total }) => {
    const share = total ? Math.min(1, received / total) : undefined;
    const amount = total ? `${formatBytes(received)} of ${formatBytes(total)}` : formatBytes(received);
    const percent = share === undefined ? '' : ` ${Math.floor(share * 100)} %`;
    if (terminal.stderrIsTerminal) {
      const filled = Math.round((share ?? 0) * 24);
      const bar = share === undefined ? '' : ` ${'█'.repeat(filled)}${'░'.repeat(24 - filled)}`;
      terminal.status(`${what}${bar}${percent} ${amount}`);
      return;
    }
    const now = share === undefined ? Math.floor(received / (10 * 1024 * 1024)) : Math.floor(share * 10);
    if (now === tenths) return;
    tenths = now;
    terminal.note(`${what}:${percent} ${amount}`);
  };
}
