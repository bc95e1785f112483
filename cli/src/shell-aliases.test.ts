import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../test/run-cli.ts';
import { aliasFile, planAliases, withBlock } from './shell-aliases.ts';

test('no alias hides a program or a word of the shell, and no name reaches a shell as code', () => {
  const path = makeFolder();
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'summarize'), '');
  chmodSync(join(path, 'summarize'), 0o755);
  const names = ['summarize', 'test', 'create_tags', 'a;rm -rf ~', '$(id)', 'damask'];
  const plan = (more: object) => planAliases(names, { prefix: '', force: false, path, ...more });
  assert.deepEqual(
    plan({}).aliases.map(({ name }) => name),
    ['create_tags'],
  );
  assert.equal(plan({}).leftOut.length, 5);
  assert.deepEqual(
    plan({ force: true }).aliases.map(({ name }) => name),
    ['summarize', 'create_tags'],
  );
  assert.deepEqual(
    plan({ prefix: 'd_' }).aliases.map(({ name }) => name),
    ['d_summarize', 'd_test', 'd_create_tags', 'd_damask'],
  );
  const { aliases } = plan({ prefix: 'd_' });
  assert.match(aliasFile('zsh', aliases), /function d_create_tags \{ command damask run create_tags "\$@"; \}/);
  assert.match(aliasFile('fish', aliases), /command damask run create_tags \$argv; end/);
});

test('the block in a start file is put in once, replaced in place and taken out without a trace', () => {
  for (const own of ['', 'export A=1\n', 'export A=1']) {
    const once = withBlock(own, '. one');
    assert.match(once, /# >>> damask aliases >>>\n\. one\n# <<< damask aliases <<<\n$/);
    assert.equal(withBlock(once, '. one'), once);
    const later = `${once}export B=2\n`;
    assert.equal(withBlock(later, '. two'), later.replace('. one', '. two'));
    assert.equal(withBlock(later, undefined), `${own === '' || own.endsWith('\n') ? own : `${own}\n`}export B=2\n`);
  }
  assert.equal(withBlock('# >>> damask aliases >>>\nhalf', undefined), '# >>> damask aliases >>>\nhalf');
});
