import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { houseRoot } from './house.ts';

interface Wall {
  readonly name: string;
  readonly comment?: string;
  readonly severity?: string;
}

const { default: walls }: { default: { forbidden: readonly Wall[] } } = await import(
  new URL('../../.dependency-cruiser.mjs', import.meta.url).href
);

/** A house in small that keeps to every wall. */
const sound: Record<string, string> = {
  'contracts/package.json': pack('@damask/contracts', {
    exports: { './*.ts': './src/*.ts' },
    dependencies: { typebox: '1' },
  }),
  'contracts/src/operation.ts': `import { Type } from 'typebox'; export const Name = Type;`,
  'server/package.json': pack('@damask/server', {
    imports: { '#platform/*.ts': './src/platform/*.ts' },
    dependencies: { '@damask/contracts': '1', pg: '1', undici: '1', 'rabbitmq-client': '1', ioredis: '1' },
  }),
  'server/src/main.ts': `import './compose.ts'; import './find-models.ts'; import './serve.ts';`,
  'server/src/serve.ts': `import { own } from './platform/database/own-connection.ts'; export const client = own;`,
  'server/src/platform/database/own-connection.ts': `import pg from 'pg'; export const own = pg;`,
  'server/src/compose.ts': `import { service } from './services/pattern/service.ts'; import { listen } from './gateway/listen.ts';
    import type { Local } from './services/pattern/model/local/local-model.ts'; export const local: Local = [service, listen];`,
  'server/src/find-models.ts': `import type { Local } from './services/pattern/model/local/local-model.ts'; export const found: Local = [];`,
  'server/src/gateway/listen.ts': `import { createServer } from 'node:http'; import { log } from '#platform/log.ts'; import { shared } from '#platform/redis/shared-buckets.ts'; export const listen = [createServer, log, shared];`,
  'server/src/platform/log.ts': `import { Name } from '@damask/contracts/operation.ts'; export const log = Name;`,
  'server/src/platform/json-worker.ts': `import { log } from './log.ts'; log;`,
  'server/src/platform/carrier/carrier.ts': `import { Connection } from 'rabbitmq-client'; export const carrier = Connection;`,
  'server/src/platform/redis/shared-buckets.ts': `import { Redis } from 'ioredis'; export const shared = Redis;`,
  'server/src/platform/egress/egress.ts': `import { Pool } from 'undici'; export const pool = Pool;`,
  'server/src/platform/testing/postgres.ts': `import pg from 'pg'; export const client = pg;`,
  'server/src/services/pattern/service.ts': `import { read } from './run/store.ts'; import { call } from './model/call.ts'; export const service = [read, call];`,
  'server/src/services/pattern/run/store.ts': `import { log } from '#platform/log.ts'; import { carrier } from '#platform/carrier/carrier.ts'; import { call } from '../model/call.ts'; export const read = [log, call, carrier];`,
  'server/src/services/pattern/model/call.ts': `import { pool } from '#platform/egress/egress.ts'; import type { Dispatcher } from 'undici'; export const call: Dispatcher = pool;`,
  'server/src/services/pattern/model/local/local-model.ts': `export type Local = unknown[];`,
  'server/local-model/serve.ts': `import { createServer } from 'node:http'; createServer;`,
  'sdk/package.json': pack('@damask/sdk', { exports: { '.': './src/index.ts' } }),
  'sdk/src/index.ts': `export const sdk = 1;`,
  'cli/package.json': pack('damask', { dependencies: { '@damask/sdk': '1' } }),
  'cli/bin/damask.mjs': `import '../src/main.ts';`,
  'cli/src/main.ts': `import { readFileSync } from 'node:fs'; import { sdk } from '@damask/sdk'; readFileSync; sdk;`,
  'scripts/generate.ts': `import { Name } from '@damask/contracts/operation.ts'; Name;`,
  'tests/e2e/start.test.ts': `import { spawn } from 'node:child_process'; import '../../server/src/main.ts'; spawn;`,
  'package.json': pack('house', { devDependencies: { typescript: '1' } }),
  ...stub('typebox', 'Type'),
  ...stub('undici', 'Pool'),
  ...stub('rabbitmq-client', 'Connection'),
  ...stub('ioredis', 'Redis'),
  ...stub('pg', 'default'),
  ...stub('typescript', 'default'),
};

const pattern = 'server/src/services/pattern';
/** For each wall files that break it. The first word of a file says what it does wrong. */
const planted: Record<string, Record<string, string>> = {
  'no-circle': {
    'server/src/ring-a.ts': `import type { B } from './ring-b.ts'; export type A = B;`,
    'server/src/ring-b.ts': `import type { A } from './ring-a.ts'; export type B = A;`,
  },
  'everything-resolves': { 'server/src/loses.ts': `import './nowhere.ts';` },
  'nothing-dead': { 'server/src/dead.ts': `import { log } from './platform/log.ts'; export const dead = log;` },
  'contracts-stand-alone': {
    'contracts/src/reads.ts': `import 'node:fs';`,
    'contracts/src/knows.ts': `import type { log } from '../../server/src/platform/log.ts'; export type L = typeof log;`,
  },
  'schemas-in-contracts': { [`${pattern}/checks.ts`]: `import type { Type } from 'typebox'; export type T = Type;` },
  'platform-knows-no-service': {
    'server/src/platform/knows.ts': `import '../services/pattern/service.ts';`,
    'server/src/platform/wires.ts': `import type { local } from '../compose.ts'; export type L = typeof local;`,
  },
  'services-are-islands': {
    'server/src/services/quality/reaches.ts': `import type { service } from '../pattern/service.ts'; export type S = typeof service;`,
    'server/src/services/quality/listens.ts': `import '../../gateway/listen.ts';`,
  },
  'one-door': { 'server/src/sneaks.ts': `import { read } from './services/pattern/run/store.ts'; read;` },
  'models-are-found-first': {
    'server/src/announce.ts': `import { read } from './services/pattern/run/store.ts'; read;`,
  },
  'door-opens-inwards': { [`${pattern}/turns.ts`]: `import { service } from './service.ts'; service;` },
  'rooms-in-one-direction': {
    [`${pattern}/library/looks.ts`]: `import type { read } from '../run/store.ts'; export type R = typeof read;`,
    [`${pattern}/model/looks.ts`]: `import { read } from '../run/store.ts'; read;`,
  },
  'edge-asks-through-clients': { 'server/src/gateway/peeks.ts': `import '../services/pattern/service.ts';` },
  'doors-not-tunnels': {
    'server/src/gateway/digs.ts': `import '../platform/log.ts';`,
    [`${pattern}/digs.ts`]: `import '../../platform/log.ts';`,
    'cli/src/digs.ts': `import '../../sdk/src/index.ts';`,
  },
  'cli-speaks-sdk': { 'cli/src/knows.ts': `import '@damask/contracts/operation.ts';` },
  'sdk-depends-on-nothing': { 'sdk/src/reads.ts': `import 'node:fs';`, 'sdk/src/calls.ts': `import 'undici';` },
  'local-model-apart': { 'server/local-model/reaches.ts': `import '../src/platform/log.ts';` },
  'nobody-imports-local-model': { 'server/src/loads.ts': `import '../local-model/serve.ts';` },
  'calls-leave-guarded': { [`${pattern}/calls.ts`]: `import { Pool } from 'undici'; Pool;` },
  'broker-behind-the-carrier': {
    [`${pattern}/publishes.ts`]: `import { Connection } from 'rabbitmq-client'; Connection;`,
  },
  'redis-behind-its-room': { [`${pattern}/keeps.ts`]: `import { Redis } from 'ioredis'; Redis;` },
  'sockets-in-few-hands': {
    [`${pattern}/opens.ts`]: `import { connect } from 'node:net'; connect;`,
    'cli/src/opens.ts': `process.getBuiltinModule('node:https');`,
  },
  'programs-in-few-hands': { 'server/src/starts.ts': `import { spawn } from 'node:child_process'; spawn;` },
  'database-through-transactions': { [`${pattern}/connects.ts`]: `import pg from 'pg'; pg;` },
  'no-code-from-text': { 'tests/e2e/runs.test.ts': `import 'node:vm';` },
  'declared-dependencies': { 'server/src/compiles.ts': `import 'typescript';` },
  'tests-stay-outside': { 'server/src/leans.ts': `import './platform/testing/postgres.ts';` },
};

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string; readonly severity: string };
}

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'damask-walls-'));
  build(sound);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('a house that keeps to the walls has no violation', () => {
  assert.deepEqual(cruise(), []);
});

test('every wall bites where it is broken, and only there', () => {
  for (const files of Object.values(planted)) build(files);
  const broken = cruise();
  const files = new Set(Object.values(planted).flatMap((set) => Object.keys(set)));
  for (const [rule, set] of Object.entries(planted)) {
    const found = broken.filter((violation) => violation.rule.name === rule);
    // A ring is told once, and dead code is what the entries do not come to.
    const where = new Set(found.flatMap(({ from, to }) => (/circle|dead/.test(rule) ? [from, to] : [from])));
    for (const file of Object.keys(set)) assert.ok(where.has(file), `${rule} does not see ${file}`);
  }
  const innocent = broken.filter(({ from, to }) => !files.has(from) && !files.has(to));
  assert.deepEqual(innocent, []);
});

test('every wall is planted, is an error and says why it stands', () => {
  const rules = walls.forbidden;
  assert.deepEqual(rules.map((rule) => rule.name).sort(), Object.keys(planted).sort());
  for (const rule of rules) {
    assert.equal(rule.severity, 'error', rule.name);
    assert.ok((rule.comment ?? '').length > 20, `${rule.name} has no comment that says why`);
  }
});

/** One run of the real program with the real walls over the whole small house. */
function cruise(): Violation[] {
  const program = join(houseRoot, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const wings = ['contracts', 'server', 'sdk', 'cli', 'scripts', 'tests'];
  const config = join(houseRoot, '.dependency-cruiser.mjs');
  const { stdout, stderr } = spawnSync(process.execPath, [program, '--config', config, '-T', 'json', ...wings], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: 60_000,
  });
  assert.match(stdout, /^\s*\{/, stderr);
  return JSON.parse(stdout).summary.violations;
}

function build(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  if (files !== sound) return;
  cpSync(join(houseRoot, 'tsconfig.json'), join(folder, 'tsconfig.json'));
  mkdirSync(join(folder, 'node_modules/@damask'), { recursive: true });
  for (const wing of ['contracts', 'sdk']) symlinkSync(`../../${wing}`, join(folder, 'node_modules/@damask', wing));
}

function pack(name: string, more: object): string {
  return JSON.stringify({ name, version: '1.0.0', type: 'module', ...more });
}

function stub(name: string, exported: string): Record<string, string> {
  const text = exported === 'default' ? 'export default 1;' : `export const ${exported} = 1;`;
  return {
    [`node_modules/${name}/package.json`]: pack(name, { exports: './index.js' }),
    [`node_modules/${name}/index.js`]: text,
  };
}
