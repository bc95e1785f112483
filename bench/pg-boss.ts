import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from './embedded-database.ts';

const folder = join(import.meta.dirname, 'peers', 'pg-boss');

export interface Jobs {
  /** Sends jobs for so many seconds and waits until all have ended. */
  perform(seconds: number, messages: readonly object[]): Promise<{ runs: number; sending: number; seconds: number }>;
  stop(): void;
}

/** Jobs of pg-boss in a process of their own. Installed on demand; answers why when it cannot be had. */
export async function startPgBoss(place: Place, modelPort: number): Promise<Jobs | string> {
  if (!existsSync(join(folder, 'node_modules', 'pg-boss'))) {
    const npm = spawnSync('npm', ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'], {
      stdio: 'ignore',
      timeout: 180_000,
    });
    if (npm.status !== 0) return 'its packages could not be installed with npm';
  }
  const child = fork(join(folder, 'jobs.mjs'), [place.host, String(place.port), String(modelPort)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
  });
  const begun = await Promise.race([once(child, 'message').then(() => true), once(child, 'exit').then(() => false)]);
  if (!begun) return 'it ended before it was ready';
  return {
    async perform(seconds, messages) {
      child.send({ seconds, messages });
      const [result] = await once(child, 'message');
      return result;
    },
    stop: () => void child.kill('SIGKILL'),
  };
}
