import assert from 'node:assert/strict';
import { test } from 'node:test';
import { houseFiles } from './house.ts';

interface LockEntry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly hasInstallScript?: boolean;
  readonly integrity?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly name: string;
  readonly workspaces?: readonly string[];
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly allowScripts?: Readonly<Record<string, boolean>>;
}

const parse = <Value>(path: string): Value =>
  JSON.parse(houseFiles().find((file) => file.path === path)?.text ?? 'null') as Value;
const root = parse<Manifest>('package.json');
const wings = (root.workspaces ?? []).map((wing) => parse<Manifest>(`${wing}/package.json`));
const lock = parse<{ packages: Readonly<Record<string, LockEntry>> }>('package-lock.json').packages;

const directMost = 25;
const allMost = 200;

/** Packages that people who run the platform get; `link` is a wing of ours. */
function runtimePackages(packages: Readonly<Record<string, LockEntry>>): string[] {
  return Object.entries(packages)
    .filter(([path, entry]) => path.includes('node_modules/') && !entry.dev && !entry.link)
    .map(([path]) => path);
}

function directDependencies(manifests: readonly Manifest[]): Set<string> {
  const names = manifests.flatMap(({ dependencies = {}, optionalDependencies = {} }) => [
    ...Object.keys(dependencies),
    ...Object.keys(optionalDependencies),
  ]);
  return new Set(names.filter((name) => !name.startsWith('@damask/')));
}

function loose(manifest: Manifest): string[] {
  const { dependencies = {}, optionalDependencies = {}, devDependencies = {} } = manifest;
  return Object.entries({ ...dependencies, ...optionalDependencies, ...devDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${manifest.name}: ${name} ${version}`);
}

/** Packages with an install script that nobody allowed. */
function unallowed(
  packages: Readonly<Record<string, LockEntry>>,
  allowed: Readonly<Record<string, boolean>>,
): string[] {
  return Object.entries(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .map(([path]) => path.replace(/^.*node_modules\//, ''))
    .filter((name) => allowed[name] === undefined);
}

test('SC-3: few dependencies at run time, and few in all', () => {
  const direct = directDependencies([root, ...wings]);
  const all = runtimePackages(lock);
  assert.ok(direct.size <= directMost, `${direct.size} direct dependencies: ${[...direct].join(', ')}`);
  assert.ok(all.length <= allMost, `${all.length} packages at run time`);
  assert.ok(all.length >= 10, 'the count does not see the lock file');
  assert.deepEqual(runtimePackages({ '': {}, 'node_modules/a': {}, 'node_modules/b': { dev: true }, cli: {} }), [
    'node_modules/a',
  ]);
});

test('every version is exact', () => {
  assert.deepEqual([root, ...wings].flatMap(loose), []);
  assert.deepEqual(loose({ name: 'x', dependencies: { a: '^1.0.0', b: '1.0.0', c: '18.4.0-beta.17' } }), [
    'x: a ^1.0.0',
  ]);
});

test('SC-2: each install script of others is known by name, and none is ours', () => {
  assert.deepEqual(unallowed(lock, root.allowScripts ?? {}), []);
  const ours = [root, ...wings].flatMap(({ name, scripts = {} }) =>
    Object.keys(scripts)
      .filter((script) => /^(pre|post)?(install|prepare|prepublish)$/.test(script))
      .map((script) => `${name}: ${script}`),
  );
  assert.deepEqual(ours, []);
  assert.deepEqual(unallowed({ 'node_modules/a/node_modules/@b/c': { hasInstallScript: true } }, {}), ['@b/c']);
});

test('the lock file has each package with its hash, and every package for other machines', () => {
  const bare = Object.entries(lock).filter(
    ([path, { integrity, link }]) => path.includes('node_modules/') && !link && !integrity,
  );
  assert.deepEqual(
    bare.map(([path]) => path),
    [],
  );
  assert.deepEqual(unlocked(lock), [], 'Choose a version of which every platform is there, and lock again.');
  const biome = { optionalDependencies: { '@biomejs/cli-darwin-arm64': '1.0.0' } };
  assert.equal(unlocked({ 'node_modules/@biomejs/biome': biome }).length, 1);
});

test('the parts that others install depend on what they say', () => {
  const [sdk, cli] = ['@damask/sdk', 'damask'].map((name) => wings.find((wing) => wing.name === name));
  assert.deepEqual(Object.keys(sdk?.dependencies ?? {}), []);
  assert.deepEqual(Object.keys(cli?.dependencies ?? {}), ['@damask/sdk']);
  assert.deepEqual(Object.keys(root.dependencies ?? {}), [], 'the house itself has tools only');
});

/** npm leaves out of the lock file what its registry did not have for a moment, and `npm ci` then refuses the file. */
function unlocked(packages: Readonly<Record<string, LockEntry>>): string[] {
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !placesOf(path).some((place) => packages[`${place}node_modules/${name}`]))
      .map((name) => `${path} wants ${name}`),
  );
}

/** Where Node looks for what a package imports: its own folder, then those above. */
function placesOf(path: string): string[] {
  const parts = path.split('/');
  return [...parts.map((_, index) => `${parts.slice(0, parts.length - index).join('/')}/`), ''];
}
