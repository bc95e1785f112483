import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { narrowToPlatform, programFolder } from './runtime.ts';
import { programEnvironment, toolEnvironment } from './tool-environment.ts';

const manifest = await readFile(join(programFolder, 'package.json'), 'utf8');
const lock = await readFile(join(programFolder, 'package-lock.json'), 'utf8');

test('one platform gets its own binary, with its hash, and no other', () => {
  for (const [platform, name] of [
    [{ os: 'linux', cpu: 'x64' }, '@node-llama-cpp/linux-x64'],
    [{ os: 'linux', cpu: 'arm64' }, '@node-llama-cpp/linux-arm64'],
  ] as const) {
    const [narrowManifest, narrowLock] = narrowToPlatform(manifest, lock, platform);
    const { packages } = JSON.parse(narrowLock) as { packages: Record<string, Record<string, unknown>> };
    assert.deepEqual(JSON.parse(narrowManifest).dependencies, packages['']?.dependencies);
    const binaries = Object.keys(packages).filter((path) => path.startsWith('node_modules/@node-llama-cpp/'));
    assert.deepEqual(binaries, [`node_modules/${name}`]);
    for (const [path, entry] of Object.entries(packages)) {
      if (path !== '') assert.match(String(entry.integrity), /^sha512-/, path);
      assert.equal(entry.optional ?? entry.optionalDependencies, undefined, path);
    }
  }
});

test('a platform that the lock does not know is told', () => {
  for (const platform of [
    { os: 'darwin', cpu: 'arm64' },
    { os: 'win32', cpu: 'x64' },
  ]) {
    assert.throws(() => narrowToPlatform(manifest, lock, platform), { code: 'no_model', message: /OPENAI_API_KEY/ });
  }
});

test('npm and pip see the network and their settings, but no key and no place to install to', () => {
  const environment = {
    PATH: '/bin',
    HOME: '/home/me',
    https_proxy: 'http://proxy:1',
    NODE_EXTRA_CA_CERTS: '/ca.pem',
    PIP_INDEX_URL: 'https://index.example',
    npm_config_registry: 'https://packages.example',
    NPM_CONFIG_USERCONFIG: '/home/me/.npmrc',
    npm_config_local_prefix: '/repository',
    npm_config_prefix: '/usr',
    npm_package_json: '/repository/package.json',
    NODE_OPTIONS: '--inspect',
    OPENAI_API_KEY: 'secret',
    DAMASK_DATABASE_URL: 'secret',
  };
  const seen = Object.keys(toolEnvironment(environment));
  assert.deepEqual(seen, Object.keys(environment).slice(0, 7));
  assert.deepEqual(Object.keys(programEnvironment(environment)), ['PATH', 'HOME']);
});
