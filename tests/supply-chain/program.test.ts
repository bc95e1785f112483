import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { type HouseFile, isTestCode, sourceFiles } from '../architecture/house.ts';
import { callsOf, textsOf } from '../architecture/syntax.ts';

const root = join(import.meta.dirname, '../..');
const strict = ['--disallow-code-generation-from-strings', '--disable-proto=delete'];

/** Flags that a place which starts our programs leaves out. */
const missingFlags = (file: HouseFile) => {
  if (!file.text.includes(strict[0] as string)) return [];
  const texts = textsOf(file).map(({ text }) => text);
  return texts.includes(strict[0] as string) ? strict.filter((flag) => !texts.includes(flag)) : [];
};

test('SC-10: everything that starts the server, its parts or its tests starts them without code from texts', () => {
  const files = sourceFiles().filter(({ path }) => !path.startsWith('tests/supply-chain/'));
  // The database's keeper of the tests and the command line have objects of nobody else to read.
  const own = /platform\/testing\/|cli\/test\//;
  const left = files.filter(({ path }) => !own.test(path)).filter((file) => missingFlags(file).length > 0);
  assert.deepEqual(
    left.map(({ path }) => path),
    [],
  );
  const starters = files.filter(({ text }) => text.includes(`'${strict[0]}'`)).map(({ path }) => path);
  for (const path of [
    'scripts/bootstrap.mjs',
    'cli/src/own-server.ts',
    'server/src/services/pattern/model/addon/addon.ts',
  ]) {
    assert.ok(starters.includes(path), `${path} starts without the flags`);
  }
  assert.deepEqual(missingFlags({ path: 'a.ts', text: `spawn(node, ['${strict[0]}', main])` }), [
    '--disable-proto=delete',
  ]);
});

test('SC-10: under these flags a text is no code, a prototype is out of reach, and the server’s program loads', () => {
  const run = (...args: string[]) => spawnSync(process.execPath, [...strict, ...args], { cwd: root, encoding: 'utf8' });
  const tried = run(
    '-e',
    `const out = [];
     for (const act of [() => eval('1'), () => new Function('return 1')(), () => ({}).constructor.constructor('return 1')()]) {
       try { act(); out.push('ran'); } catch (error) { out.push(error.name); }
     }
     const polluted = JSON.parse('{"__proto__":{"admin":true}}');
     console.log(out.join(), Object.assign({}, polluted).admin, ({}).__proto__);`,
  );
  assert.equal(tried.stdout, 'EvalError,EvalError,EvalError undefined undefined\n', tried.stderr);
  const help = run('server/src/main.ts', '--help');
  assert.match(help.stdout, /^usage: main\.ts serve/, help.stderr);
});

/** Places where a fault is planted: only tests do that. */
const plantings = (file: HouseFile) => {
  if (!/planted|fail_?point|inject_?fault|DAMASK_(FAULT|FAIL|CHAOS|PLANT)/i.test(file.text)) return [];
  return [
    ...callsOf(file).filter(({ arguments: given }) => given.some((one) => /\bplanted\s*:\s*\{/.test(one))),
    ...textsOf(file).filter(({ text }) => /fail_?point|inject_?fault|DAMASK_(FAULT|FAIL|CHAOS|PLANT)/i.test(text)),
  ];
};

test('SC-13: no fault can be planted in a server that runs', () => {
  const own = sourceFiles().filter(({ path }) => /^(server|cli|sdk|contracts)\//.test(path) && !isTestCode(path));
  assert.deepEqual(
    own.flatMap((file) => plantings(file).map(({ line }) => `${file.path}:${line}`)),
    [],
  );
  const sees = (text: string) => plantings({ path: 'server/src/a.ts', text }).length > 0;
  assert.ok(sees('serve({ config, planted: { recovery: false } })') && sees("environment['DAMASK_FAULT']"));
  assert.ok(!sees('compose({ ...(options.planted ? { planted: options.planted } : {}) })'));
});
