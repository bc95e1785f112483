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
  DAMASK_URL: `Where the server is; ${defaultUrl} by default.`,
  DAMASK_API_KEY: 'The key to use. It wins over credentials.json.',
  DAMASK_CONFIG_DIR: 'The folder of credentials.json; $XDG_CONFIG_HOME/damask or ~/.config/damask by default.',
  DAMASK_SERVER: "The server's main file, for a CLI that is not in a clone.",
  XDG_CONFIG_HOME: 'Parent of the default configuration folder.',
  NO_COLOR: 'Any value: no colours.',
} as const;

export function readConfig(): Config {
  const url = serverAddress(setting('DAMASK_URL') ?? defaultUrl);
  const home = setting('XDG_CONFIG_HOME') ?? join(homedir(), '.config');
  return {
    url,
    apiKey: setting('DAMASK_API_KEY'),
    configDir: setting('DAMASK_CONFIG_DIR') ?? join(home, 'damask'),
    server: setting('DAMASK_SERVER'),
  };
}

/** The environment of a program that the CLI starts. */
export function environmentWith(more: Readonly<Record<string, string>>): Record<string, string | undefined> {
  return { ...process.env, ...more };
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

function setting(name: keyof typeof variables): string | undefined {
  return process.env[name] || undefined;
}
