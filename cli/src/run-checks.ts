import { accessSync, constants, statfsSync } from 'node:fs';
import { createDamask, type Damask, DamaskError, type Model } from '@damask/sdk';
import type { Config } from './config.ts';
import {
  type Credentials,
  findInstance,
  type Instance,
  isLoopback,
  isTooOpen,
  readCredentials,
} from './credentials.ts';
import { formatBytes, formatNumber } from './figures.ts';
import { httpTransport } from './http-transport.ts';
import { readVersion } from './read-version.ts';

export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** The way out. */
  readonly remedy?: string;
}

const leastSpace = 512 * 1024 * 1024;

/** Looks at everything that a run needs; starts and changes nothing. */
export async function runChecks(config: Config): Promise<Check[]> {
  const { checks: local, instance } = checkCredentials(config);
  const apiKey = config.apiKey ?? instance?.apiKey;
  const damask = createDamask({
    url: config.url,
    apiKey,
    workspace: config.apiKey === undefined ? instance?.workspace : undefined,
    fetch: httpTransport,
    retries: 0,
    timeoutMs: 10_000,
  });
  const server = await checkServer(damask, config);
  const answers = server[0]?.state === 'ok';
  const key = answers ? await checkKey(damask, config, apiKey) : [];
  const known = key.some(({ state }) => state === 'ok');
  return [
    checkNode(),
    { name: 'cli', state: 'ok', detail: `damask ${readVersion()}` },
    ...server,
    ...local,
    ...key,
    ...(known ? await checkModels(damask) : []),
    ...checkDataDir(instance),
  ];
}

function checkNode(): Check {
  const [major = 0] = process.versions.node.split('.').map(Number);
  const detail = `Node ${process.versions.node}`;
  if (major >= 24) return { name: 'node', state: 'ok', detail };
  return { name: 'node', state: 'fail', detail, remedy: 'Install Node 24; a clone brings its own.' };
}

async function checkServer(damask: Damask, config: Config): Promise<Check[]> {
  const name = 'server';
  try {
    await damask.health.ready();
    return [{ name, state: 'ok', detail: `${config.url} is ready` }, ...(await checkVersions(damask))];
  } catch (error) {
    if (error instanceof DamaskError && error.code !== 'unreachable' && error.code !== 'client_timeout') {
      return [
        { name, state: 'fail', detail: `${config.url}: ${error.detail}`, remedy: 'Look at the log of the server.' },
      ];
    }
    const { findServer } = await import('./own-server.ts');
    const detail = `nothing answers at ${config.url}`;
    if (findServer(config) && isLoopback(config.url)) {
      return [
        {
          name,
          state: 'warn',
          detail,
          remedy: 'Each command starts one for itself. `damask serve` keeps one running.',
        },
      ];
    }
    return [
      {
        name,
        state: 'fail',
        detail,
        remedy: 'Set DAMASK_URL to a server that runs, or start one from a clone: npm start',
      },
    ];
  }
}

async function checkVersions(damask: Damask): Promise<Check[]> {
  const { info } = (await damask.openapi().catch(() => ({}))) as { info?: { version?: string } };
  const own = readVersion();
  if (!info?.version) return [];
  const detail = `the server is ${info.version}, this CLI ${own}`;
  const same = info.version.split('.').slice(0, 2).join() === own.split('.').slice(0, 2).join();
  if (same) return [{ name: 'versions', state: 'ok', detail }];
  return [{ name: 'versions', state: 'warn', detail, remedy: 'Update the older one.' }];
}

function checkCredentials(config: Config): { checks: Check[]; instance?: Instance | undefined } {
  const name = 'credentials';
  let credentials: Credentials;
  try {
    credentials = readCredentials(config.configDir);
  } catch (error) {
    return { checks: [{ name, state: 'fail', detail: (error as Error).message }] };
  }
  const { path, exists, mode = 0 } = credentials;
  const instance = findInstance(credentials, config.url);
  if (isTooOpen(credentials)) {
    const detail = `others can read ${path} (mode ${mode.toString(8)})`;
    return { checks: [{ name, state: 'fail', detail, remedy: `chmod 600 ${path}` }], instance };
  }
  if (config.apiKey !== undefined)
    return { checks: [{ name, state: 'ok', detail: 'DAMASK_API_KEY is set' }], instance };
  if (instance) return { checks: [{ name, state: 'ok', detail: `${path} has a key for ${config.url}` }], instance };
  const detail = exists ? `${path} has no key for ${config.url}` : `there is no ${path} yet`;
  const remedy = `Set DAMASK_API_KEY, or: damask login. ${ifLost(config)}`;
  return { checks: [{ name, state: 'warn', detail, remedy }] };
}

async function checkKey(damask: Damask, config: Config, apiKey: string | undefined): Promise<Check[]> {
  const name = 'key';
  if (apiKey === undefined) {
    return [
      {
        name,
        state: 'fail',
        detail: `no key for ${config.url}`,
        remedy: `Set DAMASK_API_KEY to a key of this server, or: damask login. ${ifLost(config)}`,
      },
    ];
  }
  try {
    const { actor, workspace } = await damask.me();
    return [{ name, state: 'ok', detail: `${actor.name} (${actor.role}) of workspace ${workspace.name}` }];
  } catch (error) {
    const remedy = `Set DAMASK_API_KEY to a valid key, or: damask login. ${ifLost(config)}`;
    return [{ name, state: 'fail', detail: error instanceof Error ? error.message : String(error), remedy }];
  }
}

function ifLost({ url }: Config): string {
  if (isLoopback(url)) return 'Is every key lost? `damask owner-key` makes a new one on the machine of the server.';
  return 'An admin makes one there: damask keys create';
}

async function checkModels(damask: Damask): Promise<Check[]> {
  const name = 'models';
  let items: readonly Model[];
  try {
    ({ items } = await damask.models.list());
  } catch (error) {
    return [{ name, state: 'warn', detail: error instanceof Error ? error.message : String(error) }];
  }
  const ready = items.filter((model) => model.ready);
  const main = ready.find((model) => model.default);
  if (main)
    return [{ name, state: 'ok', detail: `${formatNumber(ready.length, 'model')} ready, default ${main.name}` }];
  const wished = items.find((model) => model.default);
  if (wished) {
    const detail = `the default model ${wished.name} is not ready: ${wished.note ?? 'nobody offers it'}`;
    return [{ name, state: 'warn', detail, remedy: 'Set DAMASK_MODEL for the server to one of `damask models`.' }];
  }
  const remedy =
    '`damask model pull` fetches a small local one; or give the server OPENAI_API_KEY, another key, or Ollama.';
  if (ready.length > 0)
    return [
      {
        name,
        state: 'warn',
        detail: 'no default model',
        remedy: 'Name one with -m, or set DAMASK_MODEL for the server.',
      },
    ];
  const waiting = items.find((model) => model.note);
  if (!waiting) return [{ name, state: 'fail', detail: 'there is none', remedy }];
  return [
    { name, state: 'warn', detail: `none is ready: ${waiting.name}: ${waiting.note}`, remedy: `Wait, or: ${remedy}` },
  ];
}

function checkDataDir(instance: Instance | undefined): Check[] {
  const name = 'data';
  const path = instance?.dataDir;
  if (path === undefined) return [];
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    const { bavail, bsize } = statfsSync(path);
    const detail = `${path}, ${formatBytes(bavail * bsize)} free`;
    if (bavail * bsize >= leastSpace) return [{ name, state: 'ok', detail }];
    return [{ name, state: 'warn', detail, remedy: 'Free some disk space, or move it with DAMASK_DATA_DIR.' }];
  } catch (error) {
    const detail = `${path} cannot be used (${(error as NodeJS.ErrnoException).code})`;
    return [
      { name, state: 'fail', detail, remedy: 'Give this user the folder, or set DAMASK_DATA_DIR to another one.' },
    ];
  }
}
