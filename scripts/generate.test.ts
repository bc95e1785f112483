import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./generate.ts', import.meta.url));

function generate(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
  return { status, text: stdout + stderr };
}

test('what is generated in the house is fresh', () => {
  assert.deepEqual(generate('--check'), { status: 0, text: '' });
});

test('a page that is missing or was changed by hand is stale until it is written again', () => {
  const folder = mkdtempSync(join(tmpdir(), 'damask-generate-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const missing = generate('--check', '--into', folder);
  assert.equal(missing.status, 1);
  assert.match(
    missing.text,
    /Stale: sdk\/src\/generated\.ts, docs\/reference\/operations\.md, .*Run `npm run generate`/,
  );

  assert.equal(generate('--into', folder).status, 0);
  assert.equal(generate('--check', '--into', folder).status, 0);

  appendFileSync(join(folder, 'docs/reference/errors.md'), 'by hand\n');
  assert.match(generate('--check', '--into', folder).text, /^Stale: docs\/reference\/errors\.md\./);
  assert.match(generate('--into', folder).text, /^Wrote docs\/reference\/errors\.md\./);
});
