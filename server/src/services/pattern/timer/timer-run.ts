import type { TimerRun } from '@damask/contracts/timer.ts';
import type { Vault } from '#platform/vault.ts';

/** What seals the run of a timer. */
export const timerPlace = (timer: string) => ({ table: 'pattern.timer', row: timer, column: 'run' });

/** Seals what a timer starts. Needs the vault to be ready for the workspace. */
export async function sealRun(vault: Vault, workspace: string, timer: string, run: TimerRun): Promise<Buffer> {
  return vault.seal(workspace, timerPlace(timer), Buffer.from(JSON.stringify(run)));
}

/** Errors: those of the vault. */
export async function openRun(vault: Vault, workspace: string, timer: string, sealed: Buffer): Promise<TimerRun> {
  return JSON.parse((await vault.open(workspace, timerPlace(timer), sealed)).toString('utf8')) as TimerRun;
}
