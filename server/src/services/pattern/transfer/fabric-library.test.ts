import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import type { PatternFile } from '@damask/contracts/pattern.ts';
import { buildMessages } from '../library/build-messages.ts';
import { compileVersion } from '../library/compile-version.ts';
import { templateOf } from '../library/version-content.ts';
import { planImport } from './plan-import.ts';

const root = join(import.meta.dirname, '../../../../../../shared/fabric-library');
const skip = existsSync(root) ? false : 'a clone of Fabric is needed at ../shared/fabric-library';

function readLibrary(): PatternFile[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(root, path), content: readFileSync(path, 'utf8') }));
}

test('the whole Fabric library is planned, with every token classified', { skip }, async () => {
  const plan = await planImport(readLibrary());
  assert.equal(plan.patterns.length, 255);
  assert.deepEqual(
    plan.strategies.map(({ name }) => name),
    ['aot', 'cod', 'cot', 'ltm', 'reflexion', 'self-consistent', 'self-refine', 'standard', 'tot'],
  );
  assert.deepEqual(plan.ignored.map(({ path }) => path).sort(), [
    'LICENSE',
    'README.md',
    'data/patterns/pattern_explanations.md',
    'scripts/pattern_descriptions/pattern_extracts.json',
  ]);
  const variables: Record<string, string[]> = {};
  const literals: Record<string, number> = {};
  const inputs: Record<string, boolean> = {};
  for (const { name, content } of plan.patterns) {
    assert.ok(content.description !== '' && content.tags.length > 0 && content.title !== '', name);
    assert.deepEqual([content.disabled_capabilities, content.model, content.parameters], [[], null, {}], name);
    if (content.variables.length > 0) variables[name] = content.variables.map((variable) => variable.name);
    if (content.literal_tokens.length > 0) literals[name] = content.literal_tokens.length;
    const text = content.files.find(({ path }) => path === 'system.md')?.content ?? '';
    const { inline } = compileVersion(templateOf(content));
    if (text.includes('{{input}}')) inputs[name] = inline;
  }
  assert.deepEqual(variables, {
    judge_output: ['query_language_info', 'guidelines', 'user_input', 'generated_query'],
    translate: ['lang_code'],
    write_essay: ['author_name'],
  });
  assert.deepEqual(literals, { sanitize_broken_html_to_markdown: 16, write_nuclei_template_rule: 45 });
  assert.deepEqual(inputs, { extract_insights: false, sanitize_broken_html_to_markdown: false });
});

test('every pattern of the library gives messages that hold its text and the input', { skip }, async () => {
  const plan = await planImport(readLibrary());
  const input = 'An input with {{input}} and {{plugin:sys:env:PATH}} in it.';
  for (const { name, content } of plan.patterns) {
    const variables = Object.fromEntries(content.variables.map((variable) => [variable.name, `{{${variable.name}}}`]));
    const version = compileVersion(templateOf(content));
    const text = content.files.find(({ path }) => path === 'system.md')?.content ?? '';
    // Each variable stands for its own token, so that the text must come out as it is.
    assert.deepEqual(
      buildMessages(version, { input, variables, now: 0 }),
      [
        { role: 'system', content: text.replace(/\n\{\{input\}\}\s*$/, '').trim() },
        { role: 'user', content: input },
      ],
      name,
    );
  }
});

test('the library is planned in well under a second', { skip }, async () => {
  const files = readLibrary();
  const times: number[] = [];
  for (let round = 0; round < 3; round++) {
    const from = performance.now();
    await planImport(files);
    times.push(performance.now() - from);
  }
  assert.ok(Math.min(...times) < 500, `${times.join(', ')} ms`);
});
