import type { TimerRun } from '@damask/contracts/timer.ts';
import { AppError } from '#platform/app-error.ts';
import type { Vault } from '#platform/vault.ts';

/** What seals the run of a timer. */
export const timerPlace = (timer: string) => ({ table: 'pattern.timer', row: timer, column: 'run' });

/** Seals what a timer starts. Needs the vault to be ready for the workspace. */
export async function sealRun(vault: Vault, workspace: string, timer: string, run: TimerRun): Promise<Buffer> {
  return vault.seal(workspace, timerPlace(timer), Buffer.from(JSON.stringify(run)));
}

/** Errors: `unavailable` when the key file is not the one that it was written with. */
export async function openRun(vault: Vault, workspace: string, timer: string, sealed: Buffer): Promise<TimerRun> {
  try {
    return JSON.parse((await vault.open(workspace, timerPlace(timer), sealed)).toString('utf8')) as TimerRun;
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError(
      'unavailable',
      'What this timer starts cannot be decrypted. Check that the key file is the one that it was written with.',
      {},
      { cause },
    );
  }
}
