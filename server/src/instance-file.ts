import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

/** True when that server answers: the note may be left over from one that was killed. */
export async function answers({ url }: InstanceNote, egress: Egress): Promise<boolean> {
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
