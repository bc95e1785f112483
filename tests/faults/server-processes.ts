import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { type Agent, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What a program says first; rejects when it ends before. */
export function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    lines.once('line', resolve);
    child.once('exit', (code, signal) => reject(new Error(`It ended with ${signal ?? code} before it was ready`)));
  });
}

/** SIGKILL to every process of this data folder at once; the database only when it is meant to die too. */
export function killHard(folder: string, server: ChildProcess, database: boolean) {
  const victims = [server.pid as number, ...childrenOf(server.pid as number)];
  if (database) victims.push(...postgresOf(folder));
  for (const pid of victims) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It was gone already.
    }
  }
}

export function processes(): { pid: number; parent: number; command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = readFileSync(`/proc/${name}/stat`, 'utf8');
        const parent = Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1]);
        return [{ pid: Number(name), parent, command: readFileSync(`/proc/${name}/cmdline`, 'utf8') }];
      } catch {
        return [];
      }
    });
}

/** Node children only: the database is a child of the server too, and must survive where only the server is killed. */
const childrenOf = (parent: number) =>
  processes().flatMap((entry) => (entry.parent === parent && entry.command.includes('main.ts') ? [entry.pid] : []));

/** The database of this data folder and all of its processes; the first one is the postmaster. */
export function postgresOf(folder: string): number[] {
  const all = processes();
  const roots = all
    .filter((entry) => entry.command.includes('postgres') && entry.command.includes(join(folder, 'data')))
    .map((entry) => entry.pid);
  return [...roots, ...all.filter((entry) => roots.includes(entry.parent)).map((entry) => entry.pid)];
}

/** One request and its JSON answer. Rejects when the connection is lost. */
export function post(
  url: string,
  key: string,
  path: string,
  body: object,
  agent?: Agent,
): Promise<{ status: number; body: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const outgoing = request(`${url}${path}`, { method: 'POST', headers, ...(agent ? { agent } : {}) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        try {
          resolve({ status: response.statusCode as number, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) });
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(body));
  });
}
