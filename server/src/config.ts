import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { batchLimit } from '@damask/contracts/batch-operations.ts';
import { parseDocument } from 'yaml';
import { AppError } from './platform/app-error.ts';
import { isAllowEntry } from './platform/egress/allow-list.ts';
import { type LogLevel, logLevels } from './platform/log.ts';
import {
  address,
  choice,
  flag,
  integer,
  isAddress,
  isOrigin,
  list,
  optional,
  optionalInteger,
  optionalOf,
  type Setting,
  secret,
  text,
} from './platform/setting.ts';

/**
 * Every setting: its place in `damask.yaml`, its environment variable and its default. The environment wins over the file.
 * Nobody else reads the environment.
 */
const sections = {
  http: {
    host: text('DAMASK_HOST', '127.0.0.1', 'Address to listen on'),
    port: integer('DAMASK_PORT', 7440, [0, 65_535], 'Port to listen on; 0 takes any free one'),
    metrics_port: optionalInteger(
      'DAMASK_METRICS_PORT',
      [0, 65_535],
      'Port of /metrics; 0 turns it off; default 7441 where it is free',
    ),
    concurrency: integer('DAMASK_CONCURRENCY', 4_096, [1, 100_000], 'Requests answered at the same time'),
    cors_origins: list(
      'DAMASK_CORS_ORIGINS',
      isOrigin,
      'origins such as https://app.example.com, by comma',
      'Origins whose pages may call from a browser, by comma; * is every one',
    ),
    drain_ms: integer('DAMASK_DRAIN_MS', 30_000, [0, 600_000], 'Time for requests to end when the platform stops'),
  },
  storage: {
    data_dir: optional('DAMASK_DATA_DIR', 'Folder of the database; default ~/.damask'),
    config_dir: optional('DAMASK_CONFIG_DIR', 'Folder of credentials and the key file; default ~/.config/damask'),
    cache_dir: optional('DAMASK_CACHE_DIR', 'Folder of the local model; default ~/.cache/damask'),
    key_file: optional('DAMASK_KEY_FILE', 'Key-encryption key; default master.key in the config folder'),
    database_url: secret('DAMASK_DATABASE_URL', 'External PostgreSQL; without it one is embedded'),
    pool_size: integer('DAMASK_DATABASE_POOL', 8, [2, 100], 'Database connections of a process'),
    statement_timeout_ms: integer('DAMASK_STATEMENT_TIMEOUT_MS', 15_000, [100, 600_000], 'Time of one statement'),
  },
  services: {
    secret: secret('DAMASK_SERVICE_SECRET', 'Signs calls between processes: 32 characters or more'),
    listen: optional('DAMASK_SERVICE_LISTEN', 'host:port on which this process serves others'),
    identity_url: address('DAMASK_IDENTITY_URL', 'Where identity runs when it is not in this process'),
    pattern_url: address('DAMASK_PATTERN_URL', 'Where pattern runs when it is not in this process'),
  },
  models: {
    default: optionalOf(
      'DAMASK_MODEL',
      (text) => /^[a-z0-9][a-z0-9_-]*\/\S+$/.test(text),
      'written like openai/gpt-5-mini',
      'Model of runs that name none, as provider/model',
    ),
    local: flag('DAMASK_LOCAL_MODEL', true, 'Fetch and serve the small local model when there is no other'),
    path: optional('DAMASK_MODEL_PATH', 'A GGUF file for the local model'),
    url: address('DAMASK_MODEL_URL', 'Address of a GGUF file; needs DAMASK_MODEL_SHA256'),
    sha256: optionalOf(
      'DAMASK_MODEL_SHA256',
      (text) => /^[0-9a-f]{64}$/i.test(text),
      '64 hexadecimal digits',
      'SHA-256 of that file',
    ),
    openai_api_key: secret('OPENAI_API_KEY', 'Key of OpenAI or of a provider that speaks its protocol'),
    openai_base_url: address('OPENAI_BASE_URL', 'Address of such a provider'),
    anthropic_api_key: secret('ANTHROPIC_API_KEY', 'Key of Anthropic'),
    gemini_api_key: secret('GEMINI_API_KEY', 'Key of Google Gemini'),
    azure_api_key: secret('AZURE_OPENAI_API_KEY', "Key of OpenAI's models at Azure"),
    azure_endpoint: address('AZURE_OPENAI_ENDPOINT', 'Address of the resource at Azure'),
    azure_api_version: optional('AZURE_OPENAI_API_VERSION', 'A dated version takes the older paths of Azure'),
    mistral_api_key: secret('MISTRAL_API_KEY', 'Key of Mistral'),
    groq_api_key: secret('GROQ_API_KEY', 'Key of Groq'),
    deepseek_api_key: secret('DEEPSEEK_API_KEY', 'Key of DeepSeek'),
    ollama_host: optionalOf(
      'OLLAMA_HOST',
      (text) => isAddress(/^https?:\/\//.test(text) ? text : `http://${text}`),
      'an address such as 127.0.0.1:11434',
      'Address of Ollama; found by itself on loopback',
    ),
  },
  runs: {
    timeout_ms: integer('DAMASK_RUN_TIMEOUT_MS', 300_000, [100, 3_600_000], 'Time of a run that does not say'),
    max_tokens: integer('DAMASK_MAX_TOKENS', 8_192, [1, 1_000_000], 'Length of an answer where nobody says'),
    first_byte_ms: integer('DAMASK_FIRST_BYTE_MS', 60_000, [100, 3_600_000], 'Wait for the first byte of a stream'),
    idle_ms: integer('DAMASK_IDLE_MS', 30_000, [100, 3_600_000], 'Longest silence inside an answer'),
    concurrency: integer('DAMASK_RUN_CONCURRENCY', 2_048, [1, 100_000], 'Runs executed at the same time'),
    record_within_ms: integer('DAMASK_RECORD_WITHIN_MS', 10_000, [100, 600_000], 'Wait for the record of a run'),
  },
  queue: {
    worker_slots: integer(
      'DAMASK_WORKER_SLOTS',
      64,
      [0, 10_000],
      'Queued runs executed at the same time; 0 executes none',
    ),
    workspace_concurrency: integer(
      'DAMASK_WORKSPACE_CONCURRENCY',
      1_000,
      [1, 1_000_000],
      'Queued runs of one workspace executed at the same time, in all processes',
    ),
    give_up_after: integer(
      'DAMASK_GIVE_UP_AFTER',
      5,
      [1, 100],
      'Processes that may die with a run before it is given up',
    ),
    rabbitmq_url: secret('DAMASK_RABBITMQ_URL', 'RabbitMQ that tells of waiting work; without it the database does'),
  },
  batches: {
    max_lines: integer('DAMASK_BATCH_LINES', 500_000, [1, 2_000_000], 'Lines of a batch'),
    max_bytes: integer('DAMASK_BATCH_BYTES', batchLimit, [1_024, batchLimit], 'Bytes of the upload of a batch'),
  },
  egress: {
    allow: list(
      'DAMASK_EGRESS_ALLOW',
      isAllowEntry,
      'CIDRs, addresses, hosts or host:port, by comma',
      'Private addresses that may be called: CIDR, host or host:port, by comma',
    ),
  },
  backup: {
    access_key_id: optional('AWS_ACCESS_KEY_ID', 'Access key of an S3-compatible store, for backups'),
    secret_access_key: secret('AWS_SECRET_ACCESS_KEY', 'Secret of that key'),
    session_token: secret('AWS_SESSION_TOKEN', 'Token of a key that is lent for a time'),
    region: text('AWS_REGION', 'us-east-1', 'Region of the store'),
    endpoint: address('AWS_ENDPOINT_URL', 'Address of the store, when it is not AWS'),
  },
  log: {
    level: choice('DAMASK_LOG_LEVEL', 'warn', logLevels, 'Least level that is written'),
  },
} satisfies Record<string, Record<string, Setting<unknown>>>;

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

/** The configuration with secrets hidden, for people. */
export function describeConfig(config: Config): Record<string, Record<string, unknown>> {
  const shown: Record<string, Record<string, unknown>> = {};
  for (const [section, settings] of Object.entries(sections)) {
    shown[section] = {};
    for (const [key, setting] of Object.entries(settings as Record<string, Setting<unknown>>)) {
      const value = (config as unknown as Record<string, Record<string, unknown>>)[section]?.[key];
      (shown[section] as Record<string, unknown>)[key] =
        setting.secret && value !== undefined ? '[redacted]' : (value ?? null);
    }
  }
  return shown;
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
