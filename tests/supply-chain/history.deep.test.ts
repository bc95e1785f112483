import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { houseRoot } from '../architecture/house.ts';
import { findSecrets } from './find-secrets.ts';

test('SC-8: no commit ever added what looks like a secret', async (t) => {
  const lines = createInterface({
    input: spawn('git', ['log', '-p', '-U0', '--no-color', '--no-ext-diff', '--format=commit %h'], {
      cwd: houseRoot,
      stdio: ['ignore', 'pipe', 'inherit'],
    }).stdout,
  });
  const leaks: string[] = [];
  let commit = '';
  let path = '';
  let added: string[] = [];
  let commits = 0;
  const judge = () => {
    const skipped = /package-lock\.json$|sbom\.cdx\.json$/.test(path);
    if (!skipped)
      for (const { rule, shown } of findSecrets(added.join('\n'))) leaks.push(`${commit} ${path}: ${rule} ${shown}`);
    added = [];
  };
  for await (const line of lines) {
    if (line.startsWith('commit ')) {
      judge();
      commit = line.slice('commit '.length);
      commits += 1;
    } else if (line.startsWith('+++ ')) {
      judge();
      path = line.slice('+++ b/'.length);
    } else if (line.startsWith('+')) added.push(line.slice(1));
  }
  judge();
  t.diagnostic(`${commits} commits`);
  assert.ok(commits > 0);
  assert.deepEqual(leaks, []);
});
