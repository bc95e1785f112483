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
  /** What the person edits files with. */
  readonly editor: string | undefined;
  /** The folder of what can be made again. */
  readonly cacheDir: string;
  /** Path of the person's shell. */
  readonly shell: string;
  readonly display: string | undefined;
  readonly waylandDisplay: string | undefined;
  /** The folders of programs. */
  readonly path: string;
  readonly home: string;
}

export const defaultUrl = 'http://127.0.0.1:7440';

/** Each variable that the CLI reads, for the reference. */
export const variables = {
  DAMASK_URL: `Where the server is. By default the one of \`damask login\`, else the one that runs on this user's data, else ${defaultUrl}.`,
  DAMASK_API_KEY: 'The key to use. It wins over credentials.json.',
  DAMASK_CONFIG_DIR: 'The folder of credentials.json; $XDG_CONFIG_HOME/damask or ~/.config/damask by default.',
  DAMASK_DATA_DIR: 'The data folder of the server to look for; ~/.damask by default.',
  DAMASK_SERVER: "The server's main file, for a CLI that is not in a clone.",
  XDG_CONFIG_HOME: 'Parent of the default configuration folder.',
  XDG_CACHE_HOME: 'Parent of the folder of names for completion; ~/.cache by default.',
  VISUAL: 'The editor of `damask edit`.',
  EDITOR: 'The editor of `damask edit`, where VISUAL is not set.',
  SHELL: 'The shell that `damask alias` and `damask completion` write for.',
  PATH: 'Where programs for the clipboard, and commands that an alias must not hide, are looked for.',
  DISPLAY: 'Whether xclip or xsel can reach a clipboard.',
  WAYLAND_DISPLAY: 'Whether wl-copy can reach a clipboard.',
  NO_COLOR: 'Any value: no colours.',
} as const;

export function readConfig(): Config {
  const home = homedir();
  const configHome = setting('XDG_CONFIG_HOME') ?? join(home, '.config');
  const configDir = setting('DAMASK_CONFIG_DIR') ?? join(configHome, 'damask');
  // A data folder that was named is that of a server on this machine, wherever the person has logged in.
  const chosen = setting('DAMASK_DATA_DIR') ? undefined : chosenServer(configDir);
  const url = serverAddress(setting('DAMASK_URL') ?? chosen ?? runningServer() ?? defaultUrl);
  return {
    url,
    apiKey: keyFromEnvironment(),
    configDir,
    server: setting('DAMASK_SERVER'),
    editor: setting('VISUAL') ?? setting('EDITOR'),
    cacheDir: join(setting('XDG_CACHE_HOME') ?? join(home, '.cache'), 'damask'),
    shell: setting('SHELL') ?? '/bin/sh',
    display: setting('DISPLAY'),
    waylandDisplay: setting('WAYLAND_DISPLAY'),
    path: setting('PATH') ?? '',
    home,
  };
}

// `damask login` notes its server in the file of the keys. What is wrong with the file is said where the key is needed.
function chosenServer(configDir: string): string | undefined {
  try {
    const { current } = JSON.parse(readFileSync(join(configDir, 'credentials.json'), 'utf8')) as { current?: unknown };
    return typeof current === 'string' && /^https?:/.test(current) && URL.canParse(current) ? current : undefined;
  } catch {
    return undefined;
  }
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

function serverAddress(text: string): string {
  return checkAddress('DAMASK_URL', text);
}

/** An address in its normal form, because addresses are compared and cut. Throws UsageError. */
export function checkAddress(what: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash) {
    return url.href.replace(/\/+$/, '');
  }
  throw new UsageError(`${what} is '${text}'. Write an address such as ${defaultUrl}; the key goes to DAMASK_API_KEY.`);
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

/** A variable that the person named, such as the one that holds a provider's key. */
export function namedVariable(name: string): string | undefined {
  return process.env[name] || undefined;
}
