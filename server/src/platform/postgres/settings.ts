export type Settings = Readonly<Record<string, string | number>>;

/** What every embedded cluster runs with: durable, reachable through its socket only, small enough for a laptop. */
const defaults: Settings = {
  listen_addresses: '',
  port: 5432,
  unix_socket_permissions: '0700',
  // Each process that executes runs has up to some twenty.
  max_connections: 100,
  shared_buffers: '128MB',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  // Enough log for one checkpoint in ten minutes at full load, without a gigabyte lying about.
  max_wal_size: '512MB',
  min_wal_size: '32MB',
  checkpoint_timeout: '10min',
  // The list of queued runs is replaced by itself in less than the usual minute.
  autovacuum_naptime: '15s',
  // A query ends soon after the process that asked for it was killed.
  client_connection_check_interval: '1s',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Errors of single statements go to their callers; the server's log keeps no values of users.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
};

/** The arguments of the server. Equal arguments mean that a running server can be taken over as it is. */
export function serverArguments(options: {
  dataDirectory: string;
  socketDirectory: string;
  version: string;
  overrides: Settings;
}): string[] {
  const { dataDirectory, socketDirectory, version, overrides } = options;
  const settings: Settings = {
    ...defaults,
    // The setting is a list; quotes keep a comma or a space in the path whole.
    unix_socket_directories: `"${socketDirectory.replaceAll('"', '""')}"`,
    cluster_name: `damask ${version}`,
    ...overrides,
  };
  return ['-D', dataDirectory, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
