import type { ServerProgress } from './command.ts';
import { formatBytes } from './figures.ts';
import type { Terminal } from './terminal.ts';

const words: Readonly<Record<string, string>> = {
  waiting: 'waiting for another process that fetches it',
  unpacking: 'unpacking the local model',
  verifying: 'checking the local model',
  installing: 'installing what runs the local model',
};

/** Shows a transfer: a bar on a terminal, else a line for every tenth of what is fetched. */
export function createProgressBar(terminal: Terminal, what: string): (event: ServerProgress) => void {
  let tenths = -1;
  let waiting = false;
  return ({ phase, received, total }) => {
    const doing = words[phase] ?? what;
    const share = total ? Math.min(1, received / total) : undefined;
    const amount = total ? `${formatBytes(received)} of ${formatBytes(total)}` : received ? formatBytes(received) : '';
    const percent = share === undefined ? '' : ` ${Math.floor(share * 100)} %`;
    if (terminal.stderrIsTerminal) {
      const filled = Math.round((share ?? 0) * 24);
      const bar = share === undefined ? '' : ` ${'█'.repeat(filled)}${'░'.repeat(24 - filled)}`;
      terminal.status(`${doing}${bar}${percent} ${amount}`);
      return;
    }
    if (phase === 'waiting' && !waiting) terminal.note(doing);
    waiting = phase === 'waiting';
    if (phase !== 'downloading') return;
    const now = share === undefined ? Math.floor(received / (10 * 1024 * 1024)) : Math.floor(share * 10);
    if (now === tenths) return;
    tenths = now;
    terminal.note(`${doing}:${percent} ${amount}`);
  };
}
