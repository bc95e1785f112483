import assert from 'node:assert/strict';
import { test } from 'node:test';
import { egressSurfaces } from '@damask/contracts/egress.ts';
import { serviceOperations } from '@damask/contracts/services.ts';
import { listSettings } from '../../server/src/config.ts';
import { type HouseFile, houseFiles, isTestCode, sourceFiles } from '../architecture/house.ts';

const page = houseFiles().find(({ path }) => path === 'docs/security/data-flow.md')?.text ?? '';
const [, picture = ''] = /```mermaid\n([\s\S]*?)```/.exec(page) ?? [];
const section = (title: string) => page.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '';

const clients =
  'net|tls|http|https|http2|dgram|dns|dns/promises|inspector|child_process|undici|pg|ioredis|rabbitmq-client';
/** What can connect, listen or start a program. Types do not. */
const opening = new RegExp(
  `^import (?!type )[^;]*from '(?:node:)?(?:${clients})';|getBuiltinModule\\(.*'node:(?:${clients})'\\)`,
  'm',
);
/** Settings that say where something is. */
const place = /(_URL|_ENDPOINT|_HOST|_WEBHOOK|_SYSLOG|_LISTEN|_DIR|_CHECKPOINTS|_KEY_FILE|_TLS_KEY|_TLS_CERTIFICATE)$/;

const opensSomething = ({ path, text }: HouseFile) =>
  /^(server|cli)\//.test(path) && !isTestCode(path) && !/(^|\/)test-/.test(path) && opening.test(text);

test('every connection that the sources can open is in the table', () => {
  const table = section('Files that can open connections');
  const listed = [...table.matchAll(/`([a-z][\w/-]+\.(?:ts|mjs))`/g)].map(([, path]) => path as string);
  const found = sourceFiles()
    .filter(opensSomething)
    .map(({ path }) => path);
  assert.deepEqual([...found].sort(), listed.sort(), 'Say in docs/security/data-flow.md what this file opens.');
  const planted = { path: 'server/src/x.ts', text: "import { connect } from 'node:tls';\n" };
  assert.ok(opensSomething(planted));
  assert.ok(opensSomething({ ...planted, text: "process.getBuiltinModule('node:http');\n" }));
  assert.ok(!opensSomething({ ...planted, text: "import type { Socket } from 'node:net';\n" }));
});

test('every store and surface is in the picture', () => {
  for (const service of Object.keys(serviceOperations)) assert.match(picture, new RegExp(`\\b${service}\\b`));
  const calls = section('Calls out');
  for (const surface of egressSurfaces) assert.ok(calls.includes(`| \`${surface}\` |`), surface);
  const carriers = sourceFiles().filter(({ path }) => /\/carrier\/\w+-carrier\.ts$/.test(path));
  assert.ok(carriers.length >= 2);
  for (const { path } of carriers) assert.ok(page.includes(`\`${path}\``), path);
  const schemas = new Set(
    houseFiles()
      .filter(({ path }) => path.startsWith('server/src/') && path.endsWith('.sql'))
      .flatMap(({ text }) => [...text.matchAll(/create schema (?:if not exists )?(\w+)/g)].map(([, name]) => name)),
  );
  for (const schema of [...schemas, 'identity', 'pattern'])
    assert.ok(section('Stores').includes(`schema \`${schema}\``), schema);
  const places = listSettings()
    .map(({ variable }) => variable)
    .filter((variable) => place.test(variable));
  assert.ok(places.length > 15);
  for (const variable of places) assert.ok(page.includes(`\`${variable}\``), `${variable} is in no table`);
});

test('the boundaries of the picture, of the table and of the threat model are the same', () => {
  const of = (text: string) => [...new Set([...text.matchAll(/\bB\d+\b/g)].map(([name]) => name))].sort();
  const table = [...section('Trust boundaries').matchAll(/^\| (B\d+) \|/gm)].map(([, name]) => name as string);
  assert.deepEqual(of(picture), table);
  const threats = houseFiles().find(({ path }) => path === 'docs/security/threat-model.md')?.text ?? '';
  assert.deepEqual(
    [...threats.matchAll(/^### (B\d+)\b/gm)].map(([, name]) => name),
    table,
  );
});
