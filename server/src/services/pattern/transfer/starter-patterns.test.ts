import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { checkBySchema } from '#platform/user-schema/check-by-schema.ts';
import { buildMessages } from '../library/build-messages.ts';
import { compileVersion } from '../library/compile-version.ts';
import { readVersionContent, templateOf } from '../library/version-content.ts';
import { planImport } from './plan-import.ts';

const root = join(import.meta.dirname, '../../../../../patterns');
const files = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .map((path) => ({ path: relative(root, path), content: readFileSync(path, 'utf8') }));

test('the starter patterns are complete and run without any variable', async () => {
  const plan = await planImport(files);
  assert.deepEqual(
    plan.patterns.map(({ name }) => name),
    readdirSync(root).filter((name) => name !== 'strategies'),
  );
  assert.ok(plan.patterns.length >= 20);
  assert.deepEqual(plan.ignored, []);
  for (const { name, content } of plan.patterns) {
    readVersionContent(name, { files: content.files });
    const chain = content.settings.steps.length > 0;
    assert.deepEqual(
      content.files.map(({ path }) => path),
      ['README.md', 'pattern.yaml', ...(chain ? [] : ['system.md'])],
    );
    assert.deepEqual([content.literal_tokens, content.disabled_capabilities], [[], []]);
    assert.ok(content.title.length > 0 && content.description.length > 0 && content.tags.length > 0);
    assert.ok(content.variables.every((variable) => variable.declared && variable.description));
    if (!chain) {
      const version = compileVersion(templateOf(content));
      const [system, user] = buildMessages(version, { input: 'INPUT', now: 0 });
      assert.equal(system?.role, 'system');
      assert.ok((system?.content.length ?? 0) < 1500, `${name} must stay short enough for a small model`);
      assert.deepEqual(user, { role: 'user', content: 'INPUT' });
    }
    const readme = content.files.find(({ path }) => path === 'README.md')?.content ?? '';
    assert.match(readme, new RegExp(`npx damask run ${name}\\b`));
    assert.ok(content.settings.examples.length > 0, `${name} needs an example`);
    const { type, schema } = content.settings.output;
    for (const { output } of type === 'json' ? content.settings.examples : []) {
      assert.deepEqual(checkBySchema((schema ?? {}) as never, JSON.parse(output ?? '')), [], name);
    }
    for (const variable of content.variables) assert.ok(readme.includes(`\`${variable.name}\``), variable.name);
  }
});
