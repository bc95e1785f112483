import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Announce } from './announce.ts';
import { systemClock as clock } from './platform/clock.ts';
import type { Egress } from './platform/egress/egress.ts';

/** Where the server on a data folder can be reached, for whoever starts a second one there. */
export interface InstanceNote {
  readonly pid: number;
  readonly url: string;
}

const fileIn = (dataDir: string) => join(dataDir, 'server.json');

export function readInstanceNote(dataDir: string): InstanceNote | undefined {
  try {
    const { pid, url } = JSON.parse(readFileSync(fileIn(dataDir), 'utf8')) as Partial<InstanceNote>;
    return typeof pid === 'number' && typeof url === 'string' ? { pid, url } : undefined;
  } catch {
    return undefined;
  }
}

export function writeInstanceNote(dataDir: string, note: InstanceNote) {
  writeFileSync(fileIn(dataDir), `${JSON.stringify(note)}\n`, { mode: 0o600 });
}

export function removeInstanceNote(dataDir: string) {
  rmSync(fileIn(dataDir), { force: true });
}

/** True when that server answers: the note may be left over from one that was killed, and its port may be another's now. */
async function answers({ pid, url }: InstanceNote, egress: Egress): Promise<boolean> {
  if (!isAlive(pid)) return false;
  try {
    const response = await egress.request(new URL('/livez', url).href, {
      trusted: true,
      totalMs: 1_000,
      maxBytes: 1_000,
    });
    return response.status === 200;
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  // Of a restart in a container the dead process often had the same pid.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A second process with the same data waits this long for the first one to say where it is. */
const noteWithin = 5_000;

/** Names the server that runs on a data folder already. False when there is none. */
export async function tellRunning(dataDir: string, egress: Egress, announce: Announce): Promise<boolean> {
  const note = readInstanceNote(dataDir);
  if (!note || !(await answers(note, egress))) return false;
  announce.alreadyRunning(note.url, note.pid);
  return true;
}

/** A server that starts at the same moment holds the database before it can say where it is. */
export async function waitForOther(dataDir: string, egress: Egress, announce: Announce): Promise<boolean> {
  const until = clock.monotonic() + noteWithin;
  while (clock.monotonic() < until) {
    if (await tellRunning(dataDir, egress, announce)) return true;
    await clock.sleep(50);
  }
  return false;
}

/**
 * Whoever has our address may be a server that starts on the same data at this moment: names it as soon as it says so.
 * False when it is anything else, or does not say so in time.
 */
export async function waitForHolder(origin: string, dataDir: string, egress: Egress, announce: Announce) {
  const until = clock.monotonic() + noteWithin;
  for (;;) {
    // Asked first: a server that is no longer starting has left its note.
    const starting = await isStarting(origin, egress);
    if (await tellRunning(dataDir, egress, announce)) return true;
    if (!starting || clock.monotonic() > until) return false;
    await clock.sleep(50);
  }
}

async function isStarting(origin: string, egress: Egress): Promise<boolean> {
  try {
    const response = await egress.request(new URL('/readyz', origin).href, {
      trusted: true,
      totalMs: 1_000,
      maxBytes: 10_000,
    });
    return response.status === 503 && response.body.includes('urn:damask:');
  } catch {
    return false;
  }
}
