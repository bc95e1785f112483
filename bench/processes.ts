import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessFigures {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  /** User and system time of the process and of its children that have ended, in microseconds. */
  readonly cpu: number;
  readonly residentMb: number;
}

/** The kernel counts in hundredths of a second, on every Linux that Node runs on. */
const tickMicros = 10_000;
const pageMb = 4096 / 1024 / 1024;

/** All processes of this machine. Linux only. */
export function listProcesses(): ProcessFigures[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [readProcess(Number(name))];
      } catch {
        return []; // It ended in between.
      }
    });
}

function readProcess(pid: number): ProcessFigures {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold spaces and parentheses itself; what counts begins after the last one.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [own = 0, system = 0, ended = 0, endedSystem = 0] = fields.slice(11, 15);
  return {
    pid,
    parent: fields[1] ?? 0,
    command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '),
    cpu: (own + system + ended + endedSystem) * tickMicros,
    residentMb: (fields[21] ?? 0) * pageMb,
  };
}

/** A process and all that descend from it. */
export function withDescendants(all: readonly ProcessFigures[], root: number): ProcessFigures[] {
  const children = all.filter((one) => one.parent === root);
  return [...all.filter((one) => one.pid === root), ...children.flatMap((child) => withDescendants(all, child.pid))];
}
