import { readFileSync } from 'node:fs';

/** True while the system gives this pid to nobody else: also for a process that has ended and was not waited for. */
export function isTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** True while a process with this pid lives, whoever owns it. */
export function isRunning(pid: number): boolean {
  if (!isTaken(pid)) return false;
  try {
    // The state follows the name, which is in brackets and may hold anything.
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return status[status.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    return true;
  }
}
