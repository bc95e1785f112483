import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { AppError } from './platform/app-error.ts';
import type { LogLevel } from './platform/log.ts';
import { createRedact, redactValue } from './platform/redact.ts';
import type { Setting } from './platform/setting.ts';
import { sections } from './settings.ts';

type Sections = typeof sections;
type Values = {
  readonly [S in keyof Sections]: {
    readonly [K in keyof Sections[S]]: Sections[S][K] extends Setting<infer V> ? V : never;
  };
};

export interface Config extends Omit<Values, 'storage' | 'log'> {
  readonly storage: Omit<Values['storage'], 'data_dir' | 'config_dir' | 'cache_dir' | 'key_file'> & {
    readonly data_dir: string;
    readonly config_dir: string;
    readonly cache_dir: string;
    readonly key_file: string;
  };
  readonly log: { readonly level: LogLevel };
  /** For programs that are started; whoever starts one picks what it may see. */
  readonly environment: Environment;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables with our prefix that belong to the command line or to tests, not to the server. */
const foreign = new Set(['DAMASK_URL', 'DAMASK_API_KEY', 'DAMASK_SERVER', 'DAMASK_CONFIG', 'DAMASK_TEST_POSTGRES']);

export interface ConfigSource {
  /** Path of the file; without it `DAMASK_CONFIG`, else `damask.yaml` in the config folder when it is there. */
  readonly file?: string | undefined;
  /** Of the process, except in tests. */
  readonly environment?: Environment;
}

/** Reads all settings once. Throws `invalid_request` that lists every problem, each with the way out. */
export function readConfig(source: ConfigSource = {}): Config {
  const { environment = process.env } = source;
  const problems: { pointer: string; detail: string }[] = [];
  const home = environment.HOME || homedir();
  const configDir =
    environment.DAMASK_CONFIG_DIR || join(environment.XDG_CONFIG_HOME || join(home, '.config'), 'damask');
  const given = readFile(source.file ?? environment.DAMASK_CONFIG ?? null, join(configDir, 'damask.yaml'), problems);
  refuseUnknownVariables(environment, problems);
  const values: Record<string, Record<string, unknown>> = {};
  for (const [section, settings] of Object.entries(sections)) {
    values[section] = {};
    for (const [key, setting] of Object.entries(settings as Record<string, Setting<unknown>>)) {
      const fromEnvironment = environment[setting.variable];
      const raw = fromEnvironment === undefined || fromEnvironment === '' ? given[section]?.[key] : fromEnvironment;
      const read = setting.read(raw);
      if ('problem' in read)
        problems.push({ pointer: `/${section}/${key}`, detail: `${setting.variable} ${read.problem}` });
      else (values[section] as Record<string, unknown>)[key] = read.value;
    }
  }
  if (problems.length > 0) {
    const lines = problems.map((problem) => `  ${problem.detail}`);
    throw new AppError('invalid_request', `The configuration is not valid:\n${lines.join('\n')}`, { problems });
  }
  const read = values as unknown as Values;
  const storage = {
    ...read.storage,
    data_dir: read.storage.data_dir ?? join(home, '.damask'),
    config_dir: read.storage.config_dir ?? configDir,
    cache_dir: read.storage.cache_dir ?? join(environment.XDG_CACHE_HOME || join(home, '.cache'), 'damask'),
    key_file: read.storage.key_file ?? join(read.storage.config_dir ?? configDir, 'master.key'),
  };
  return { ...read, storage, environment } as Config;
}

/** What may be called, as the egress guard takes it. */
export function egressLists({ egress }: Pick<Config, 'egress'>) {
  return {
    allow: egress.allow,
    allowOf: {
      provider: egress.allow_providers,
      identity_provider: egress.allow_identity_providers,
      import: egress.allow_imports,
    },
  };
}

/** Where people reach the installation, without a slash at the end; null when the operator must say. */
export function publicUrlOf({ http }: Pick<Config, 'http'>): string | null {
  if (http.public_url !== undefined) return http.public_url;
  const here = ['127.0.0.1', 'localhost', '::1'].includes(http.host) && http.port !== 0;
  // By name: browsers keep passkeys for names only.
  return here ? `${http.tls_certificate ? 'https' : 'http'}://localhost:${http.port}` : null;
}

/** The configuration with secrets hidden, for people. */
export function describeConfig(config: Config): Record<string, Record<string, unknown>> {
  // Others may hold one: an address a password, and any of them what was meant for its neighbour.
  const redact = createRedact(listSecrets(config));
  const shown: Record<string, Record<string, unknown>> = {};
  for (const [section, settings] of Object.entries(sections)) {
    shown[section] = {};
    for (const [key, setting] of Object.entries(settings as Record<string, Setting<unknown>>)) {
      const value = (config as unknown as Record<string, Record<string, unknown>>)[section]?.[key];
      (shown[section] as Record<string, unknown>)[key] =
        setting.secret && value !== undefined ? '[redacted]' : redactValue(value ?? null, redact);
    }
  }
  return shown;
}

/** What no log and no answer may hold: the values of all settings that are secret, each key of a list by itself. */
export function listSecrets(config: Config): string[] {
  return Object.entries(sections).flatMap(([section, settings]) =>
    Object.entries(settings as Record<string, Setting<unknown>>).flatMap(([key, { secret }]) => {
      const value = (config as unknown as Record<string, Record<string, unknown>>)[section]?.[key];
      if (typeof value !== 'string') return [];
      return [...new Set([...(secret ? [value, ...value.split(',')] : []), ...secretsOfAddress(value)])];
    }),
  );
}

const isSecretParameter = /token|key|secret|sig|pass|auth|code/i;

/** What is secret in an address, also in one that is not quite right: a password, and parameters that are called so. */
function secretsOfAddress(value: string): string[] {
  const passwords = [...value.matchAll(/\/[^/:@\s]*:([^/@\s]+)@/g)].map(([, password]) => password as string);
  const parameters = [...value.matchAll(/[?&]([^=&\s]+)=([^&\s]+)/g)].flatMap(([, name, text]) =>
    isSecretParameter.test(name as string) ? [text as string] : [],
  );
  return [...passwords, ...parameters].flatMap((text) => [text, new URLSearchParams(`x=${text}`).get('x') as string]);
}

/** Every setting with its variable, default and meaning, for the reference page. */
export function listSettings(): { section: string; key: string; variable: string; standard: unknown; help: string }[] {
  return Object.entries(sections).flatMap(([section, settings]) =>
    Object.entries(settings as Record<string, Setting<unknown>>).map(([key, { variable, standard, help }]) => ({
      section,
      key,
      variable,
      standard,
      help,
    })),
  );
}

function refuseUnknownVariables(environment: Environment, problems: { pointer: string; detail: string }[]) {
  const known = new Set(listSettings().map((setting) => setting.variable));
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('DAMASK_') || known.has(name) || foreign.has(name)) continue;
    problems.push({ pointer: `/${name}`, detail: `${name} is not a setting. \`damask check-config\` lists them all.` });
  }
}

function readFile(
  path: string | null,
  standard: string,
  problems: { pointer: string; detail: string }[],
): Record<string, Record<string, unknown>> {
  if (path === null && !existsSync(standard)) return {};
  const file = path ?? standard;
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    problems.push({ pointer: '', detail: `${file} cannot be read: ${(error as Error).message}` });
    return {};
  }
  const document = parseDocument(content, { uniqueKeys: true, merge: false });
  if (document.errors.length > 0) {
    problems.push({ pointer: '', detail: `${file}: ${document.errors[0]?.message.split('\n')[0]}` });
    return {};
  }
  const given = (document.toJS({ maxAliasCount: 0 }) ?? {}) as Record<string, Record<string, unknown>>;
  for (const [section, settings] of Object.entries(given)) {
    const known = (sections as Record<string, Record<string, unknown>>)[section];
    for (const key of known ? Object.keys(settings ?? {}) : ['']) {
      if (known && Object.hasOwn(known, key)) continue;
      const names = Object.keys(known ?? sections).join(', ');
      problems.push({
        pointer: `/${section}/${key}`,
        detail: `${file}: ${section}${key && `.${key}`} is not a setting; there are ${names}`,
      });
    }
  }
  return given;
}
