import { batchLimit } from '@damask/contracts/batch-operations.ts';
import { parseRange } from './platform/egress/address.ts';
import { isAllowEntry } from './platform/egress/allow-list.ts';
import { logLevels } from './platform/log.ts';
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

const allowed = (variable: string, what: string) =>
  list(variable, isAllowEntry, 'CIDRs, addresses, hosts or host:port, by comma', `The same for ${what} only`);

const perMinute = (variable: string, standard: number, help: string) =>
  integer(variable, standard, [0, 100_000_000], `${help}; 0 is no limit`);

/**
 * Every setting: its place in `damask.yaml`, its environment variable and its default. The environment wins over the file.
 * Nobody else reads the environment.
 */
export const sections = {
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
    tls_certificate: optional(
      'DAMASK_TLS_CERTIFICATE',
      'PEM file of the certificate and its chain; then HTTPS is served',
    ),
    tls_key: optional('DAMASK_TLS_KEY', 'PEM file of its key; both are read again when they change'),
    address_connections: integer(
      'DAMASK_ADDRESS_CONNECTIONS',
      1_000,
      [0, 10_000],
      'Open connections of an IPv4 address or IPv6 /64, this machine and trusted proxies excepted; 0 is no limit',
    ),
    trusted_proxies: list(
      'DAMASK_TRUSTED_PROXIES',
      (text) => parseRange(text) !== null,
      'addresses and CIDRs, by comma',
      'Proxies whose X-Forwarded-For is believed: addresses and CIDRs, by comma',
    ),
    shed_lag_ms: integer(
      'DAMASK_SHED_LAG_MS',
      1_000,
      [0, 60_000],
      'How far the event loop may be behind before requests are refused; 0 is no bound',
    ),
    public_url: optionalOf(
      'DAMASK_PUBLIC_URL',
      (text) => text !== '*' && isOrigin(text),
      'an origin such as https://damask.example.com',
      'Where people reach this server, for sign-in; on this machine its own address',
    ),
    drain_ms: integer('DAMASK_DRAIN_MS', 30_000, [0, 600_000], 'Time for requests to end when the platform stops'),
  },
  limits: {
    key_per_minute: perMinute('DAMASK_KEY_PER_MINUTE', 0, 'Requests a minute of a key at most; a key may name fewer'),
    member_per_minute: perMinute(
      'DAMASK_MEMBER_PER_MINUTE',
      0,
      'Requests a minute of a member, over all keys and logins',
    ),
    workspace_per_minute: perMinute('DAMASK_WORKSPACE_PER_MINUTE', 0, 'Requests a minute of a workspace'),
    address_per_minute: perMinute(
      'DAMASK_ADDRESS_PER_MINUTE',
      60_000,
      'Requests a minute of an IPv4 address or IPv6 /64, this machine excepted',
    ),
    redis_url: secret(
      'DAMASK_REDIS_URL',
      'Redis by which all edges count requests together; without it each counts alone',
    ),
    workspace_requests: integer(
      'DAMASK_WORKSPACE_REQUESTS',
      0,
      [0, 100_000],
      'Requests of one workspace answered at the same time; 0 is no limit',
    ),
  },
  login: {
    idle_ms: integer(
      'DAMASK_LOGIN_IDLE_MS',
      43_200_000,
      [600_000, 2_592_000_000],
      'Time after which a login session ends that nobody uses',
    ),
    longest_ms: integer(
      'DAMASK_LOGIN_LONGEST_MS',
      1_209_600_000,
      [60_000, 31_536_000_000],
      'Time after which a login session ends in any case',
    ),
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
      'Private addresses that may be called, whatever for: CIDR, host or host:port, by comma',
    ),
    allow_providers: allowed('DAMASK_EGRESS_ALLOW_PROVIDERS', 'providers of models'),
    allow_identity_providers: allowed('DAMASK_EGRESS_ALLOW_IDENTITY_PROVIDERS', 'identity providers'),
    allow_imports: allowed('DAMASK_EGRESS_ALLOW_IMPORTS', 'imports from git'),
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
