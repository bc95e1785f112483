import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lockedPackages, readPackageLocks } from '../../scripts/package-locks.ts';
import { readTable } from '../authorisation/read-table.ts';
import { powersOf, powersOfFolder } from './package-powers.ts';

const root = join(import.meta.dirname, '../..');

test('SC-9: no package that runs with us can do more than somebody has looked at', () => {
  const listed = new Map(
    readTable('../supply-chain/package-powers.csv').map(({ package: name = '', powers = '' }) => [name, powers]),
  );
  const found = new Map<string, Set<string>>();
  for (const { part, dev, path, name } of lockedPackages(readPackageLocks())) {
    const folder = join(root, path);
    if (part !== 'damask' || dev || !existsSync(folder)) continue;
    const all = found.get(name) ?? new Set();
    for (const power of powersOfFolder(folder)) all.add(power);
    found.set(name, all);
  }
  assert.ok(found.size > 80, 'the packages are not seen');
  const now = [...found]
    .filter(([, powers]) => powers.size > 0)
    .map(([name, powers]) => [name, [...powers].sort().join(' ')]);
  assert.deepEqual(now.sort(), [...listed].sort());
});

test('SC-9: a package that learns to evaluate, to start programs or to call somebody is seen', () => {
  const planted: readonly (readonly [string, string])[] = [
    ['eval', "eval('1')"],
    ['eval', "new Function('a', 'return a')"],
    ['eval', "const f = Function('return this')"],
    ['eval', 'new globalThis.Function(text)'],
    ['vm', "require('vm').runInThisContext(text)"],
    ['program', "import { exec } from 'node:child_process'"],
    ['program', 'await import("child_process")'],
    ['program', "process.getBuiltinModule('child_process')"],
    ['network', "const net = require('node:net')"],
    ['network', "import https from 'https'"],
    ['fetch', "fetch('https://x')"],
    ['fetch', 'const send = options.fetch || fetch'],
    ['fetch', 'new WebSocket(url)'],
    ['native', 'process.dlopen(module, path)'],
    ['native', "require('./build/Release/a.node')"],
    ['threads', "import { Worker } from 'worker_threads'"],
    ['inspector', "require('node:inspector')"],
  ];
  for (const [power, source] of planted) assert.deepEqual(powersOf(source), [power], source);
  for (const source of ['evaluate(a)', 'git.fetch(a)', "require('path')", 'class Function2 {}', "from 'https-parts'"]) {
    assert.deepEqual(powersOf(source), [], source);
  }
  const folder = mkdtempSync(join(tmpdir(), 'damask-powers-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'index.cjs'), "require('child_process').exec('id')");
  assert.deepEqual(powersOfFolder(folder), ['program']);
});
