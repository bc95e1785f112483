import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { houseFiles, houseRoot } from '../architecture/house.ts';

const folder = mkdtempSync(join(tmpdir(), 'damask-repro-'));
/** Files of a package with their hashes, as it would be published. */
type Packed = Readonly<Record<string, string>>;
const built: Record<'one' | 'two', Record<string, Packed>> = { one: {}, two: {} };
const archives: Record<string, string[]> = { one: [], two: [] };

before(() => {
  for (const place of ['one', 'two'] as const) {
    // Another folder, other times of files, and nothing that git ignores.
    const house = join(folder, place, 'a'.repeat(place === 'one' ? 3 : 30));
    for (const { path } of houseFiles()) {
      mkdirSync(join(house, path, '..'), { recursive: true });
      cpSync(join(houseRoot, path), join(house, path));
    }
    symlinkSync(join(houseRoot, 'node_modules'), join(house, 'node_modules'));
    run(process.execPath, ['scripts/build-packages.ts'], house);
    for (const wing of ['sdk', 'cli']) {
      const target = join(house, 'dist', wing);
      run('npm', ['pack', '--pack-destination', folder, '--loglevel=error'], target, {
        npm_config_cache: join(folder, 'cache'),
      });
      const [archive = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
      archives[place]?.push(hashOf(join(folder, archive)));
      rmSync(join(folder, archive));
      built[place][wing] = Object.fromEntries(listOf(target).map((path) => [path, hashOf(join(target, path))]));
    }
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, args: readonly string[], cwd: string, more: Record<string, string> = {}): void {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...more },
  });
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`);
}

function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function listOf(target: string): string[] {
  return readdirSync(target, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(target.length + 1))
    .sort();
}

test('SC-12: a package that is built twice, in other folders, is the same to the byte', () => {
  assert.deepEqual(built.one, built.two);
  assert.deepEqual(archives.one, archives.two);
});

test('SC-12: a package holds its code and nothing else', () => {
  const sourcesOf = (wing: string) =>
    readdirSync(join(houseRoot, wing, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => `dist/${name.replace(/\.ts$/, '')}`);
  const expected: Readonly<Record<string, readonly string[]>> = {
    sdk: [
      'LICENSE',
      'README.md',
      'package.json',
      ...sourcesOf('sdk').flatMap((name) => [`${name}.js`, `${name}.d.ts`]),
    ],
    cli: [
      'LICENSE',
      'README.md',
      'package.json',
      'bin/damask.mjs',
      'bin/node24.mjs',
      ...sourcesOf('cli').map((name) => `${name}.js`),
    ],
  };
  for (const [wing, files] of Object.entries(expected)) {
    const packed = Object.keys(built.one[wing] ?? {});
    assert.deepEqual(packed, [...files].sort(), wing);
    assert.deepEqual(
      packed.filter((path) => /\.map$|\.test\.|(^|\/)(test|tests|fixtures)\/|(^|\/)\.|for-tests/.test(path)),
      [],
    );
  }
});
