import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Started } from './outside-program.ts';
import { freePort, startOutside } from './outside-program.ts';

const folder = join(import.meta.dirname, 'peers', 'portkey');
const program = join(folder, 'node_modules', '@portkey-ai', 'gateway', 'build', 'start-server.js');

/**
 * Portkey's open gateway under this Node, with the versions of its own lock file: with the newest ones every stream
 * answers 500. Installed on demand into its own folder. Answers why when it cannot be had.
 */
export async function startPortkey(): Promise<Started | string> {
  if (!existsSync(program)) {
    const npm = spawnSync('npm', ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'], {
      stdio: 'ignore',
      timeout: 180_000,
    });
    if (npm.status !== 0 || !existsSync(program)) return 'its packages could not be installed with npm';
  }
  const port = await freePort();
  const child = spawn(
    process.execPath,
    ['--import', join(folder, 'loopback.mjs'), program, '--headless', `--port=${port}`],
    { env: { PATH: process.env.PATH ?? '', NODE_ENV: 'production' }, stdio: 'ignore' },
  );
  return startOutside(child, port, '/', 30_000);
}
