import { createSecretKey } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCli } from '../../cli/test/run-cli.ts';
import { openFileSource } from '../../server/src/platform/backup/file-place.ts';
import { openChain, readTables } from '../../server/src/platform/backup/read-backup.ts';
import { keyIdOf } from '../../server/src/platform/crypto/key-file.ts';
import { startStoreServer } from '../../server/src/platform/testing/store-server.ts';
import { startMain } from '../../server/src/testing/main-process.ts';
import type { TwoWorkspaces } from '../authorisation/two-workspaces.ts';
import type { Canary } from './canary.ts';
import { tells } from './model-script.ts';
import type { Garden, Seeds } from './plant.ts';
import type { Recorder } from './record-answers.ts';
import { logsOf, type Sink } from './sinks.ts';
import type { Planted } from './start-planted.ts';

/** Milliseconds after which a start that should have failed is ended. */
const longest = 6_000;

/** Runs the server's program to its end with the settings of the installation. */
async function runServer(
  planted: Planted,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<Sink> {
  const given = { DAMASK_METRICS_PORT: '0', DAMASK_PORT: '0', ...more };
  const child = await startMain(args, { ...planted.home.environment, ...planted.environment, ...given });
  const timer = setTimeout(() => child.kill('SIGTERM'), longest);
  const [out, err] = await Promise.all([text(child.stdout as Readable), text(child.stderr as Readable), child.exited]);
  clearTimeout(timer);
  return {
    kind: 'commands',
    name: `main.ts ${args.join(' ')} ${Object.keys(more).join(' ')}`,
    content: `${out}\n${err}`,
  };
}

/** What Node writes about a server of ours where it is asked to, as after a crash. */
async function takeReport(planted: Planted): Promise<Sink> {
  const folder = join(planted.home.path, 'reports');
  await mkdir(folder);
  const options = `--report-on-signal --report-signal=SIGUSR2 --report-directory="${folder}"`;
  const settings = { ...planted.home.environment, ...planted.environment, DAMASK_METRICS_PORT: '0' };
  const child = await startMain(['serve', '--json', '--services', 'identity'], { ...settings, NODE_OPTIONS: options });
  const said = text(child.stdout as Readable);
  child.stderr?.resume();
  for (let look = 0; look < 200 && readdirSync(folder).length === 0; look++) {
    await sleep(100);
    if (look > 10) child.kill('SIGUSR2');
  }
  await sleep(500);
  child.kill('SIGTERM');
  await said;
  const [name = ''] = readdirSync(folder);
  return { kind: 'reports of crashes', name, content: readFileSync(join(folder, name)) };
}

/** Does some things at a time, in their order. */
async function two<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = [...items.entries()];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all([worker(), worker()]);
  return results;
}

/** Providers that say again what they were told, models that leave, processes and connections that die. Answers what was logged until then. */
export async function makeTrouble(
  planted: Planted,
  recorder: Recorder,
  { plant }: Garden,
  { key }: Seeds,
  sql: TwoWorkspaces['sql'],
  victim: string,
): Promise<Sink[]> {
  const run = (body: object) =>
    recorder
      .send('owner', 'POST', '/v1/runs', { key, body: { pattern: 'sealed', variables: { topic: 'x' }, ...body } })
      .catch(() => undefined);
  for (const model of ['garden/m', 'other/m', 'openai/x']) {
    for (const tell of Object.values(tells).filter((one) => one !== tells.never && one !== tells.answer)) {
      for (const more of [{}, { stream: true }, { mode: 'async' }]) {
        await run({ model, input: `${tell} ${plant('text', `input that tells ${tell}`)}`, ...more });
      }
    }
    await run({ model, input: `${tells.never} ${plant('text', 'input without an answer')}`, timeout_ms: 300 });
  }
  for (const provider of ['garden', 'other']) {
    await recorder.send('owner', 'POST', `/v1/providers/${provider}/test`, { key, body: { model: tells.sayKey } });
    await recorder.send('owner', 'PUT', `/v1/providers/${provider}`, {
      key,
      body: { base_url: 'https://elsewhere.example.com/v1' },
    });
  }
  await recorder.send('owner', 'GET', '/v1/providers', { key });
  await recorder.send('owner', 'GET', '/v1/providers/health', { key });
  const hanging = Array.from({ length: 3 }, () =>
    run({
      model: 'garden/m',
      input: `${tells.never} ${plant('text', 'input of a run that dies')}`,
      mode: 'async',
      timeout_ms: 5_000,
    }),
  );
  const lost = run({
    model: 'garden/m',
    input: `${tells.never} ${plant('unstored', 'unstored input that dies')}`,
    pattern: 'unstored',
    timeout_ms: 4_000,
  });
  await Promise.all(hanging);
  await sleep(300);
  await sql(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = $1',
    ['client backend'],
  ).catch(() => undefined);
  for (let more = 0; more < 5; more++) await run({ model: 'garden/m', input: plant('text', 'input in trouble') });
  await lost;
  const dying = planted.processes[victim];
  const logs = dying ? logsOf({ ...planted, processes: { [`${victim} that died`]: dying } }) : [];
  dying?.child.kill('SIGABRT');
  await dying?.exited;
  await planted.restart(victim);
  return logs;
}

/** Commands of operators, and starts that fail because a setting is wrong. */
export async function runCommands(planted: Planted, key: string): Promise<Sink[]> {
  const { environment } = planted;
  const runs: (readonly [args: readonly string[], more?: Readonly<Record<string, string>>])[] = [
    [['check-config']],
    [['frobnicate']],
  ];
  const spoil = (name: string, ...changes: ((value: string) => string)[]) => {
    const value = environment[name];
    const start = ['serve', '--json', '--services', 'identity'];
    if (value !== undefined) for (const change of changes) runs.push([start, { [name]: change(value) }]);
  };
  const noAddress = (value: string) => value.replace('//', '/');
  const otherScheme = (value: string) => value.replace(/^\w+:/, 'ftp:');
  const twice = (value: string) => `${value} ${value}`;
  spoil('DAMASK_DATABASE_URL', noAddress, otherScheme, twice);
  spoil('DAMASK_REDIS_URL', noAddress, otherScheme);
  spoil('DAMASK_RABBITMQ_URL', noAddress, otherScheme);
  spoil('DAMASK_AUDIT_WEBHOOK', noAddress, otherScheme);
  spoil('DAMASK_DATABASE_URL', (value) => value.replace(/@[^/]+\//, '@127.0.0.1:1/'));
  spoil('DAMASK_DATABASE_URL', (value) => value.replace(/@[^/]+\//, '@nobody.invalid/'));
  spoil('DAMASK_DATABASE_URL', (value) => `${value}?sslmode=verify-full&sslrootcert=/nowhere`);
  for (const name of ['DAMASK_KEY', 'DAMASK_AUDIT_WEBHOOK_SECRET', 'DAMASK_SERVICE_SECRET'])
    spoil(name, (value) => `${value}!`);
  const secret = environment.OPENAI_API_KEY as string;
  for (const name of ['DAMASK_PORT', 'DAMASK_EGRESS_ALLOW', 'OPENAI_BASE_URL', 'DAMASK_TLS_KEY'])
    runs.push([['check-config'], { [name]: secret }]);
  const sinks = await two(runs, ([args, more]) => runServer(planted, args, more));
  const wrongKey = `${key.slice(0, -4)}aaaa`;
  const commands = [['whoami'], ['whoami', '--json'], ['providers'], ['keys'], ['runs', '--json'], ['doctor']].map(
    (args) => [args, key] as const,
  );
  return [
    ...sinks,
    // Beside the embedded database there is one server only.
    ...(environment.DAMASK_DATABASE_URL ? [await takeReport(planted)] : []),
    ...(await two(
      [...commands, [['whoami'], secret] as const, [['whoami'], wrongKey] as const],
      async ([args, apiKey]) => {
        const { stdout, stderr } = await runCli(args, {
          url: planted.url,
          env: { ...environment, DAMASK_API_KEY: apiKey },
        });
        return { kind: 'commands of who may read', name: `damask ${args.join(' ')}`, content: `${stdout}\n${stderr}` };
      },
    )),
  ];
}

/** Backups to a folder and to a store: the files as they are, and their rows as who has the key reads them. */
export async function takeBackups(planted: Planted): Promise<Sink[]> {
  const folder = join(planted.home.path, 'backups');
  await mkdir(folder, { mode: 0o700 });
  const sinks: Sink[] = [await runServer(planted, ['backup', join(folder, 'one.backup'), '--json'])];
  const { secrets, environment } = planted;
  const store = await startStoreServer({
    id: environment.AWS_ACCESS_KEY_ID as string,
    secret: environment.AWS_SECRET_ACCESS_KEY as string,
    region: 'us-east-1',
  });
  try {
    sinks.push(await runServer(planted, ['backup', 's3://backups/two.backup'], { AWS_ENDPOINT_URL: store.url }));
    sinks.push({ kind: 'backups', name: 'requests to a store', content: store.requests.join('\n') });
    for (const [name, content] of store.objects) sinks.push({ kind: 'backups', name, content });
  } finally {
    await store.close();
  }
  for (const name of readdirSync(folder))
    sinks.push(await runServer(planted, ['backup-show', join(folder, name), '--json']));
  const bytes = (secrets['key file'] ?? secrets['key-encryption key']) as Buffer;
  const kek = { key: createSecretKey(bytes), id: keyIdOf(bytes) };
  const chain = await openChain(await openFileSource(join(folder, 'one.backup')), kek);
  for await (const { table, rows } of readTables(chain, kek)) {
    const pieces: Buffer[] = [];
    for await (const row of rows) pieces.push(row);
    sinks.push({ kind: 'backups', name: `rows of ${table.schema}.${table.name}`, content: Buffer.concat(pieces) });
  }
  await chain.close();
  return sinks;
}

/** Exports that hold no texts, and one that does. */
export async function takeExports(planted: Planted, key: string, subject: Canary): Promise<Sink[]> {
  const take = async (kind: string, path: string, body?: object) => {
    const answer = await fetch(`${planted.url}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { kind, name: `${path} ${answer.status}`, content: Buffer.from(await answer.arrayBuffer()) };
  };
  return [
    await take('exports', '/v1/audit/export?format=jsonl'),
    await take('exports', '/v1/audit/export?format=csv'),
    await take('exports', '/v1/audit?limit=100'),
    await take('exports', '/v1/exports'),
    await take('exports', '/v1/exports/archive?format=zip'),
    await take('exports', '/v1/exports/archive?format=tar'),
    await take('exports of what somebody said', '/v1/subjects/export', { subject: subject.core.toString() }),
  ];
}
