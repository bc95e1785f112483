import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { TwoWorkspaces } from '../authorisation/two-workspaces.ts';
import { processes } from '../faults/server-processes.ts';
import type { Planted } from './start-planted.ts';

/** A place where a canary could come to light. */
export interface Sink {
  readonly kind: string;
  readonly name: string;
  readonly content: Buffer | string;
}

/** What the processes wrote, and what they tell of themselves. */
export async function sinksOfProcesses(planted: Planted, logs: readonly Sink[]): Promise<Sink[]> {
  const sinks = [...logs, ...logsOf(planted)];
  for (const port of planted.metricsPorts) {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    sinks.push({ kind: 'metrics', name: `metrics of ${port}`, content: await answer.text() });
  }
  sinks.push({ kind: 'receivers of the audit log', name: 'webhooks and syslog', content: planted.received() });
  for (const [of, tap] of Object.entries(planted.taps)) {
    for (const { name, content } of tap.streams())
      sinks.push({ kind: `what went to ${of}`, name: `${of}, ${name}`, content });
  }
  return [...sinks, ...sinksOfSystem(planted)];
}

export function logsOf({ processes: all }: Planted): Sink[] {
  return Object.entries(all).flatMap(([name, { log, events }]) => [
    { kind: 'logs', name: `log of ${name}`, content: log() },
    { kind: 'logs', name: `standard output of ${name}`, content: JSON.stringify(events) },
  ]);
}

/** What anybody sees of our processes, and the environment of those that are no server of ours. */
function sinksOfSystem(planted: Planted): Sink[] {
  const ours = new Set(Object.values(planted.processes).map(({ child }) => child.pid as number));
  const servers = new Set(ours);
  const all = processes();
  // The database outlives the server that started it.
  for (const { pid, command } of all) if (command.includes(planted.home.path)) ours.add(pid);
  for (let grown = true; grown; ) {
    grown = false;
    for (const { pid, parent, command } of all) {
      if (!ours.has(parent) || ours.has(pid)) continue;
      ours.add(pid);
      if (command.includes('main.ts')) servers.add(pid);
      grown = true;
    }
  }
  return all
    .filter(({ pid }) => ours.has(pid))
    .flatMap(({ pid, command }) => [
      { kind: 'arguments of processes', name: `arguments of ${pid}`, content: command },
      ...(servers.has(pid)
        ? []
        : [
            {
              kind: 'environments of children',
              name: `environment of ${command}`,
              content: read(`/proc/${pid}/environ`),
            },
          ]),
    ]);
}

/** What the processes hold open that could be a dump, and how they would write one. Empty where none would. */
export function dumpsOf(planted: Planted): string[] {
  const wrong: string[] = [];
  for (const [name, { child }] of Object.entries(planted.processes)) {
    const told = `${read(`/proc/${child.pid}/cmdline`)} ${read(`/proc/${child.pid}/environ`)}`.toString();
    for (const flag of [
      '--report-',
      '--heapsnapshot',
      '--heap-prof',
      '--cpu-prof',
      '--inspect',
      '--abort-on',
      'NODE_DEBUG',
      'NODE_V8_COVERAGE',
    ]) {
      if (told.includes(flag)) wrong.push(`${name} runs with ${flag}`);
    }
  }
  return wrong;
}

const read = (path: string) => {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
};

/** Where secrets are kept on purpose, for nobody else to read. */
const keepers = new Set(['master.key', 'audit-signing.key', 'credentials.json']);

/** All files of an installation but those. */
export function sinksOfFiles(folder: string, wrong: string[]): Sink[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry): Sink[] => {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    const state = lstatSync(path, { throwIfNoEntry: false });
    if (entry.isSymbolicLink()) return [{ kind: 'files', name, content: readlinkSync(path) }];
    if (!state?.isFile()) return [{ kind: 'files', name, content: name }];
    if (keepers.has(basename(path))) {
      if ((state.mode & 0o077) !== 0) wrong.push(`${name} can be read by others`);
      return [];
    }
    return [{ kind: 'files', name, content: read(path) }];
  });
}

/** Every row of every table as text, and what the database remembers of statements. */
export async function sinksOfTables(sql: TwoWorkspaces['sql']): Promise<Sink[]> {
  const tables = await sql<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and n.nspname in ('identity', 'pattern', 'platform')
     union all values ('pg_stat_activity'), ('pg_prepared_statements'), ('pg_stats'), ('pg_largeobject'), ('pg_db_role_setting')`,
  );
  const sinks: Sink[] = [];
  for (const { name } of tables) {
    const rows = await sql<{ row: string }>(`select t::text as row from ${name} t`);
    sinks.push({ kind: 'tables', name: `table ${name}`, content: rows.map(({ row }) => row).join('\n') });
  }
  return sinks;
}

/** The packages as they would be published, built by a process that has all secrets in its environment. */
export function sinksOfPackages(folder: string, environment: Readonly<Record<string, string>>): Sink[] {
  const program = `
    import { buildPackages } from ${JSON.stringify(new URL('../../scripts/build-packages.ts', import.meta.url).href)};
    buildPackages(${JSON.stringify(folder)});`;
  const given = { env: { PATH: process.env.PATH ?? '', HOME: folder, ...environment }, stdio: 'ignore' as const };
  execFileSync(process.execPath, ['--input-type=module-typescript', '--eval', program], given);
  return ['sdk', 'cli'].flatMap((wing) => {
    execFileSync('npm', ['pack', '--pack-destination', folder, '--loglevel=error', '--offline'], {
      ...given,
      cwd: join(folder, wing),
    });
    return readdirSync(folder)
      .filter((name) => name.includes(wing) && name.endsWith('.tgz'))
      .map((name) => ({ kind: 'packages', name, content: read(join(folder, name)) }));
  });
}
