import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from './usage-error.ts';

/** What the environment says. Nothing else in the CLI reads it. */
export interface Config {
  readonly url: string;
  readonly apiKey: string | undefined;
  /** The folder of credentials.json. */
  readonly configDir: string;
  /** The server's main file, where it is not beside this CLI. */
  readonly server: string | undefined;
}

export const defaultUrl = 'http://127.0.0.1:7440';

/** Each variable that the CLI reads, for the reference. */
export const variables = {
  DAMASK_URL: `Where the server is. By default the one that runs on this user's data, else ${defaultUrl}.`,
  DAMASK_API_KEY: 'The key to use. It wins over credentials.json.',
  DAMASK_CONFIG_DIR: 'The folder of credentials.json; $XDG_CONFIG_HOME/damask or ~/.config/damask by default.',
  DAMASK_DATA_DIR: 'The data folder of the server to look for; ~/.damask by default.',
  DAMASK_SERVER: "The server's main file, for a CLI that is not in a clone.",
  XDG_CONFIG_HOME: 'Parent of the default configuration folder.',
  NO_COLOR: 'Any value: no colours.',
} as const;

export function readConfig(): Config {
  const url = serverAddress(setting('DAMASK_URL') ?? runningServer() ?? defaultUrl);
  const home = setting('XDG_CONFIG_HOME') ?? join(homedir(), '.config');
  return {
    url,
    apiKey: keyFromEnvironment(),
    configDir: setting('DAMASK_CONFIG_DIR') ?? join(home, 'damask'),
    server: setting('DAMASK_SERVER'),
  };
}

/** The environment of a program that the CLI starts. */
export function environmentWith(more: Readonly<Record<string, string>>): Record<string, string | undefined> {
  return { ...process.env, ...more };
}

// A server says in its data folder where it listens; the note of one that was killed does not count.
function runningServer(): string | undefined {
  try {
    const folder = setting('DAMASK_DATA_DIR') ?? join(homedir(), '.damask');
    const { pid, url } = JSON.parse(readFileSync(join(folder, 'server.json'), 'utf8')) as { pid: number; url: string };
    process.kill(pid, 0);
    return url;
  } catch {
    return undefined;
  }
}

// In its normal form, because addresses are compared and cut.
function serverAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash) {
    return url.href.replace(/\/+$/, '');
  }
  throw new UsageError(
    `DAMASK_URL is '${text}'. Write an address such as ${defaultUrl}; the key goes to DAMASK_API_KEY.`,
  );
}

function keyFromEnvironment(): string | undefined {
  const key = setting('DAMASK_API_KEY');
  if (key === undefined || /^[\x21-\x7e]+$/.test(key)) return key;
  throw new UsageError(
    'DAMASK_API_KEY holds a space or a line break, perhaps from a file with CR LF. Set it to the key alone.',
  );
}

function setting(name: keyof typeof variables): string | undefined {
  return process.env[name] || undefined;
}
