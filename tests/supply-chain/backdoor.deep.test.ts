import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type PackageLock, readPackageLocks } from '../../scripts/package-locks.ts';
import { judgeLocks } from './judge-lock.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'damask-backdoor-'));
const house = join(folder, 'house');
const mark = join(folder, 'the-backdoor-was-here');
let lock: PackageLock;

/** A package that does what the one of an attacker does, and a house that somebody made depend on it. */
before(() => {
  const source = join(folder, 'left-padd');
  mkdirSync(source);
  mkdirSync(house);
  const scripts = Object.fromEntries(
    ['preinstall', 'install', 'postinstall', 'prepare'].map((name) => [
      name,
      `node -e "require('fs').writeFileSync('${mark}', '${name}')"`,
    ]),
  );
  writeFileSync(
    join(source, 'package.json'),
    JSON.stringify({ name: 'left-padd', version: '1.0.0', license: 'MIT', scripts }),
  );
  npm(['pack', source, '--ignore-scripts', '--pack-destination', folder], folder);
  const tarball = join(folder, 'left-padd-1.0.0.tgz');
  const integrity = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
  const entry = { version: '1.0.0', resolved: `file:${tarball}`, integrity, license: 'MIT', hasInstallScript: true };
  const dependencies = { 'left-padd': `file:${tarball}` };
  const name = 'house';
  writeFileSync(join(house, 'package.json'), JSON.stringify({ name, private: true, dependencies }));
  const text = {
    name,
    lockfileVersion: 3,
    requires: true,
    packages: { '': { name, dependencies }, 'node_modules/left-padd': entry },
  };
  writeFileSync(join(house, 'package-lock.json'), JSON.stringify(text));
  copyFileSync(join(root, '.npmrc'), join(house, '.npmrc'));
  lock = { part: 'house', lockfileVersion: 3, packages: text.packages as PackageLock['packages'] };
});
after(() => rmSync(folder, { recursive: true, force: true }));

function npm(args: readonly string[], cwd: string) {
  // What the npm that started these tests was told must not decide.
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  const { status, stdout, stderr } = spawnSync(
    'npm',
    [...args, '--offline', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd,
      encoding: 'utf8',
      env: { ...environment, HOME: folder, npm_config_cache: join(folder, 'cache') },
    },
  );
  assert.equal(status, 0, `npm ${args.join(' ')}\n${stdout}${stderr}`);
}

test('SC-11: a dependency with a backdoor turns the check red, and is installed without doing anything', () => {
  const names = readPackageLocks().flatMap(({ packages }) =>
    Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, '')),
  );
  const wrong = judgeLocks([lock], { names, scripts: {} }).join('\n');
  assert.match(wrong, /nobody has looked at left-padd/);
  assert.match(wrong, /it has an install script/);
  assert.match(wrong, /it comes from file:/);
  npm(['ci'], house);
  assert.ok(existsSync(join(house, 'node_modules/left-padd/package.json')), 'it was not installed');
  assert.ok(!existsSync(mark), 'its script ran');
});

test('SC-11: the drill can fail: without the setting of the house the backdoor opens', () => {
  rmSync(join(house, '.npmrc'));
  rmSync(join(house, 'node_modules'), { recursive: true });
  npm(['ci', '--ignore-scripts=false', '--foreground-scripts'], house);
  assert.ok(existsSync(mark), 'this npm runs no scripts anyway; the drill shows nothing');
});
