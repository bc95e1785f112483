import type { Terminal } from './terminal.ts';

export interface StepChange {
  /** `outline`, `sections[3]`, `inner/draft`. */
  readonly path: string;
  readonly state: string;
}

export interface StepProgress {
  show(change: StepChange): void;
  end(): void;
}

const marks: Readonly<Record<string, string>> = { succeeded: '✓', failed: '✗', skipped: '–', waiting: '…' };

/** Tells a person how the steps of a chain go on: a line for each that has ended, and one that says what is under way. */
export function createStepProgress(terminal: Terminal): StepProgress {
  const running = new Set<string>();
  const ended = new Map<string, number>();
  return {
    show({ path, state }) {
      if (!terminal.stderrIsTerminal) return;
      const top = path.replace(/[/[].*$/, '');
      if (state === 'running') running.add(path);
      else running.delete(path);
      const mark = marks[state];
      if (mark !== undefined && path === top) {
        const inner = ended.get(top);
        const parts = inner === undefined ? '' : ` (${inner} parts)`;
        const style = state === 'failed' ? 'red' : state === 'succeeded' ? 'green' : 'yellow';
        terminal.note(`${terminal.paintNote(style, mark)} ${path}${parts}${state === 'succeeded' ? '' : ` ${state}`}`);
      } else if (mark !== undefined) ended.set(top, (ended.get(top) ?? 0) + 1);
      const names = [...running];
      const more = names.length > 4 ? ` and ${names.length - 4} more` : '';
      terminal.status(names.length === 0 ? '' : `running ${names.slice(0, 4).join(', ')}${more}`);
    },
    end() {
      terminal.status('');
    },
  };
}
