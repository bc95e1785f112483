import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from './input-error.ts';

export interface Instance {
  readonly id: string;
  /** Undefined when another installation has taken the address over. */
  readonly url: string | undefined;
  readonly apiKey: string;
  readonly dataDir: string | undefined;
  /** Id of the workspace, where the secret is that of a login session. */
  readonly workspace: string | undefined;
}

export interface Credentials {
  readonly path: string;
  readonly exists: boolean;
  /** Permission bits, such as 0o600. */
  readonly mode: number | undefined;
  readonly instances: readonly Instance[];
}

/** Reads what the server wrote at its first start. Throws InputError when the file cannot be read. */
export function readCredentials(configDir: string): Credentials {
  const path = join(configDir, 'credentials.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { path, exists: false, mode: undefined, instances: [] };
    throw new InputError(
      `${path} cannot be read (${code}). Run as the user who started the server, or set DAMASK_API_KEY.`,
    );
  }
  return { path, exists: true, mode: statSync(path).mode & 0o777, instances: parseInstances(path, text) };
}

/** The instance that a started server named, else the one at this address. */
export function findInstance(credentials: Credentials, url: string, id?: string): Instance | undefined {
  const { instances } = credentials;
  const here = instances.filter((one) => one.url !== undefined && isSameServer(one.url, url));
  return instances.find((one) => one.id === id) ?? here.find((one) => one.id.startsWith(loginId(''))) ?? here.at(0);
}

/** Where `damask login` keeps its key, apart from the one that a server wrote for its own data. */
export const loginId = (url: string) => `login ${url}`;

/** Others on this machine can read the file. */
export function isTooOpen({ mode }: Credentials): boolean {
  return mode !== undefined && (mode & 0o077) !== 0 && process.platform !== 'win32';
}

function parseInstances(path: string, text: string): Instance[] {
  try {
    const { instances } = JSON.parse(text) as { instances?: Record<string, Record<string, unknown>> };
    return Object.entries(instances ?? {}).flatMap(([id, { url, api_key, data_dir, workspace }]) =>
      typeof api_key === 'string'
        ? [{ id, url: textOf(url), apiKey: api_key, dataDir: textOf(data_dir), workspace: textOf(workspace) }]
        : [],
    );
  } catch {
    throw new InputError(`${path} is not valid JSON. Repair it, or set DAMASK_API_KEY.`);
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

// The names of this machine itself are one place; any other host is compared as it is written.
export function isSameServer(a: string, b: string): boolean {
  return normal(a) === normal(b);
}

function normal(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const host = isLoopback(text) ? 'loopback' : url.hostname;
  return `${url.protocol}//${host}:${url.port}${url.pathname.replace(/\/+$/, '')}`;
}

/** Whether an address means this machine. */
export function isLoopback(text: string): boolean {
  const { hostname } = new URL(text);
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
