import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { serviceOperations } from '@damask/contracts/services.ts';
import { buildRoutes } from '../../server/src/gateway/routes.ts';
import { readAttackCases, titlesOf } from './attack-cases.ts';

const root = join(import.meta.dirname, '../..');
const cases = readAttackCases();
const withId = /^[A-Z]+-\d+: /;

const read = (file: string) => readFileSync(join(root, file), 'utf8');

test('each attack of the list has a case', () => {
  const numbered = (letter: string, count: number) => Array.from({ length: count }, (_, at) => `${letter}-${at + 1}`);
  const ids = new Set(cases.map(({ id }) => id));
  const guards = [...numbered('T', 12), 'S-1', 'S-2', 'S-3', 'S-5', 'S-6', 'X-10'];
  const egress = [...numbered('U', 9), 'S-4', 'S-7', ...numbered('SC', 13)];
  const others = [...guards, ...egress, ...numbered('G', 9)];
  assert.deepEqual([...ids].sort(), [...numbered('Z', 12), ...numbered('A', 15), ...others].sort());
});

test('each case has its test, under its name, or waits for something that is not there', () => {
  for (const { id, attack, file, title, until } of cases) {
    const named = `${id}, ${attack}`;
    assert.ok((file === '') === (until !== '') && (file === '') === (title === ''), `${named}: a test or a subject`);
    if (file === '') continue;
    assert.ok(existsSync(join(root, file)), `${named}: ${file} is not there`);
    assert.ok(title.startsWith(`${id}: `), `${named}: the title of its test begins with another id`);
    assert.ok(titlesOf(read(file)).includes(title), `${named}: ${file} has no test "${title}"`);
  }
});

test('each test that names an attack is in the list', () => {
  const files = ['server', 'tests', 'cli', 'sdk', 'contracts'].flatMap((wing) =>
    globSync(`${wing}/**/*.test.ts`, { cwd: root, exclude: (path) => path.includes('node_modules') }),
  );
  assert.ok(files.length > 200);
  const listed = new Set(cases.map(({ file, title }) => `${file}: ${title}`));
  const unlisted = files.flatMap((file) =>
    titlesOf(read(file))
      .filter((title) => withId.test(title) && !listed.has(`${file}: ${title}`))
      .map((title) => `${file}: ${title}`),
  );
  assert.deepEqual(unlisted, []);
});

test('what a case waits for is not there yet', () => {
  const operations = buildRoutes(serviceOperations).all.map(({ operation }) => operation);
  const migrations = globSync('server/src/services/*/migrations/*.sql', { cwd: root }).map(read).join('\n');
  const subjects: Readonly<Record<string, readonly string[]>> = {
    path: operations.map(({ path }) => path),
    field: operations.flatMap(({ input, output }) => fieldsOf([input, output])),
    column: [...migrations.matchAll(/\w+/g)].map(([word]) => word),
  };
  for (const { id, attack, until } of cases.filter((one) => one.until !== '')) {
    const [, kind = '', expression = ''] = /^(\w+):(.+)$/.exec(until) ?? [];
    const there = subjects[kind];
    assert.ok(there, `${id}, ${attack}: "${until}" is none of ${Object.keys(subjects).join(', ')}`);
    const sought = new RegExp(kind === 'path' ? expression : `^${expression}$`);
    const come = there.find((one) => sought.test(one));
    assert.equal(come, undefined, `${id}, ${attack}: ${come} is there now; write the test and name it in cases.csv`);
  }
});

/** Names of the properties of a schema, at any depth. */
function fieldsOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([name, value]) => [
    ...(name === 'properties' ? Object.keys(value as object) : []),
    ...fieldsOf(value),
  ]);
}
