import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createDamask, type Damask } from '@damask/sdk';
import type { Kind } from './command.ts';
import type { Config } from './config.ts';
import { findInstance, readCredentials } from './credentials.ts';
import { httpTransport } from './http-transport.ts';
import { makeFolder } from './make-folder.ts';

/** A name and what is said of it. */
export type KnownName = readonly [name: string, about: string];

interface Kept {
  readonly at: number;
  readonly names: readonly KnownName[];
}

const freshMs = 30_000;
/** Somebody waits for this with a finger on the Tab key. */
const patienceMs = 700;
const mostNames = 5_000;

/** The names of one kind, as the server has them, or as it had them last. Starts nothing and never fails. */
export async function knownNames(config: Config, kind: Kind): Promise<readonly KnownName[]> {
  const path = join(config.cacheDir, 'names', `${keyOf(config)}-${kind}.json`);
  const kept = read(path);
  if (kept && Math.abs(Date.now() - kept.at) < freshMs) return kept.names;
  try {
    const names = await ask(config, kind);
    write(path, { at: Date.now(), names });
    return names;
  } catch {
    return kept?.names ?? [];
  }
}

async function ask(config: Config, kind: Kind): Promise<readonly KnownName[]> {
  const instance =
    config.apiKey === undefined ? findInstance(readCredentials(config.configDir), config.url) : undefined;
  const { apiKey, workspace } = instance ?? { apiKey: config.apiKey, workspace: undefined };
  const signal = AbortSignal.timeout(patienceMs);
  const damask = createDamask({ url: config.url, apiKey, workspace, fetch: httpTransport, retries: 0, signal });
  const names: KnownName[] = [];
  for await (const name of list(damask, kind)) {
    names.push(name);
    if (names.length >= mostNames) break;
  }
  return names;
}

async function* list(damask: Damask, kind: Kind): AsyncGenerator<KnownName> {
  if (kind === 'patterns')
    for await (const one of damask.patterns.listAll()) yield [one.name, one.description || one.title];
  if (kind === 'strategies') for await (const one of damask.strategies.listAll()) yield [one.name, one.description];
  if (kind === 'contexts') for await (const one of damask.contexts.listAll()) yield [one.name, ''];
  if (kind === 'sessions') for await (const one of damask.sessions.listAll()) yield [one.name, ''];
  if (kind === 'timers') for await (const one of damask.timers.listAll()) yield [one.name, one.cron];
  if (kind === 'budgets') for await (const one of damask.budgets.listAll()) yield [one.name, one.covers];
  if (kind === 'models') for (const one of (await damask.models.list()).items) yield [one.name, one.note ?? ''];
}

// Another server, and another key, have other names.
function keyOf({ url, apiKey = '', configDir }: Config): string {
  return createHash('sha256')
    .update(JSON.stringify([url, apiKey, configDir]))
    .digest('hex')
    .slice(0, 16);
}

function read(path: string): Kept | undefined {
  try {
    const { at, names } = JSON.parse(readFileSync(path, 'utf8')) as Kept;
    return typeof at === 'number' && Array.isArray(names) ? { at, names } : undefined;
  } catch {
    return undefined;
  }
}

function write(path: string, kept: Kept): void {
  try {
    makeFolder(dirname(path));
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, JSON.stringify(kept), { mode: 0o600 });
    renameSync(draft, path);
  } catch {
    // Without the list it is asked again.
  }
}
