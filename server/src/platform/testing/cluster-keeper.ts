import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../clock.ts';
import { createLog } from '../log.ts';
import { findPostmaster, shutDown } from '../postgres/postmaster.ts';
import { isRunning } from '../postgres/process-state.ts';
import { startPostgres } from '../postgres/supervisor.ts';
import { createRedact } from '../redact.ts';

// A program of its own: it keeps a throwaway cluster while its stdin is open, and stdin closes however its parent ends.
const prefix = 'damask-test-';
const log = createLog({ level: 'error', clock: systemClock, write: () => {}, redact: createRedact() });

await sweep();
const directory = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));
// So that PostgreSQL can get in when it runs as another user.
await chmod(directory, 0o711);
const parentGone = new Promise<void>((resolve) => {
  process.stdin.resume().once('close', resolve);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
});
try {
  const postgres = await startPostgres({
    dataDirectory: join(directory, 'data'),
    user: 'damask',
    clock: systemClock,
    log,
    settings: { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', max_connections: 200 },
  });
  process.stdout.write(`${JSON.stringify({ socketDirectory: postgres.socketDirectory })}\n`);
  await parentGone;
  await postgres.stop();
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: String((error as Error).stack) })}\n`);
} finally {
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  process.exit();
}

/** Ends and removes what keepers left behind that were killed themselves. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(name.startsWith(prefix) ? name.slice(prefix.length).split('-')[0] : 0);
    if (!(pid > 0) || isRunning(pid)) continue;
    const place = join(tmpdir(), name);
    const orphan = await findPostmaster(join(place, 'data'));
    if (orphan) await shutDown(orphan.pid, join(place, 'data'), systemClock, log);
    await rm(place, { recursive: true, force: true }).catch(() => {});
  }
}
