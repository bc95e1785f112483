import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Home } from './damask-server.ts';

/** Where the embedded database of a server listens. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

export function placeOfDatabase(home: Home): Place {
  const lines = readFileSync(join(home.path, '.damask', 'postgres', 'postmaster.pid'), 'utf8').split('\n');
  return { host: lines[4] as string, port: Number(lines[3]) };
}

/** A connection as its owner, past all policies. */
export async function connectAsOwner(place: Place, database = 'damask'): Promise<pg.Client> {
  const client = new pg.Client({ ...place, user: 'damask', database });
  await client.connect();
  return client;
}
