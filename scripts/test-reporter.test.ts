import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const house = mkdtempSync(join(tmpdir(), 'damask-reporter-'));
after(() => rmSync(house, { recursive: true, force: true }));
for (const name of ['test-reporter.mjs', 'csv-table.ts', 'judge-tables.ts', 'security-tables.ts', 'test-results.ts']) {
  cpSync(join(import.meta.dirname, name), join(house, 'scripts', name));
}
const write = (path: string, text: string) => {
  mkdirSync(join(house, path, '..'), { recursive: true });
  writeFileSync(join(house, path), text);
};
write(
  'tests/a.test.ts',
  "import { test } from 'node:test';\ntest('one', () => undefined);\ntest('two', () => undefined);\n",
);
write('tests/b.test.ts', "import { test } from 'node:test';\ntest('three', () => undefined);\n");

const row = (cell: string) => `id,level,applies,why_not,control,test\nV1.1.1,2,yes,,something,${cell}\n`;
const themes = 'theme,soc2,iso27001,gdpr,pci,feature,state,evidence,test\n';

/** The runner with the report of the house, over a house of two files. */
function run(cell: string, ...files: string[]) {
  write('docs/security/asvs.csv', row(cell));
  write('docs/security/controls.csv', themes);
  const flags = ['--test', '--test-reporter=./scripts/test-reporter.mjs', '--test-reporter-destination=stdout'];
  const { NODE_TEST_CONTEXT: _own, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, [...flags, ...files], { cwd: house, encoding: 'utf8', env });
  return { status, stdout };
}

test('a whole suite keeps its results, says its totals, and fails where a table names a test that did not pass', () => {
  const both = ['tests/a.test.ts', 'tests/b.test.ts'];
  const good = run('tests/b.test.ts::three', ...both);
  assert.match(
    good.stdout,
    /\nasvs: 1 requirements apply: 1 met, .*\ncontrols: 0 themes.*\n\n3 passed, 0 failed, 0 skipped\n$/,
  );
  assert.equal(good.status, 0);
  const kept = JSON.parse(readFileSync(join(house, 'test-results/quick.json'), 'utf8'));
  const names = kept.tests.map((one: { file: string; title: string; result: string }) => [
    one.file,
    one.title,
    one.result,
  ]);
  assert.deepEqual(names.sort(), [
    ['tests/a.test.ts', 'one', 'passed'],
    ['tests/a.test.ts', 'two', 'passed'],
    ['tests/b.test.ts', 'three', 'passed'],
  ]);
  assert.deepEqual([kept.suite, kept.commit], ['quick', null]);
  assert.match(kept.sources, /^[0-9a-f]{64}$/);
  assert.ok(Math.abs(Date.parse(kept.date) - Date.now()) < 600_000);

  const planted = run('tests/b.test.ts::four', ...both);
  assert.match(planted.stdout, /V1\.1\.1: tests\/b\.test\.ts::four: not run\n/);
  assert.match(planted.stdout, /\n3 passed, 0 failed, 0 skipped\n$/);
  assert.equal(planted.status, 1);

  const broken = run('no test', ...both);
  assert.match(broken.stdout, /could not be checked/);
  assert.equal(broken.status, 1);
});

test('a part of a suite keeps nothing and judges nothing', () => {
  rmSync(join(house, 'test-results'), { recursive: true, force: true });
  const part = run('tests/b.test.ts::four', 'tests/a.test.ts');
  assert.match(part.stdout, /\n2 passed, 0 failed, 0 skipped\n$/);
  assert.doesNotMatch(part.stdout, /asvs:/);
  assert.deepEqual([part.status, existsSync(join(house, 'test-results'))], [0, false]);
});
