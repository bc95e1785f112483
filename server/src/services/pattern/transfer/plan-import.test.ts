import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PatternFile } from '@damask/contracts/pattern.ts';
import { AppError } from '#platform/app-error.ts';
import { planImport } from './plan-import.ts';

const file = (path: string, content = 'Text.'): PatternFile => ({ path, content });
const names = async (files: PatternFile[], origin?: string) =>
  (await planImport(files, origin)).patterns.map((pattern) => pattern.name);

async function failure(files: PatternFile[], origin?: string): Promise<AppError> {
  try {
    await planImport(files, origin);
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    assert.deepEqual([error.code, error.status], ['invalid_tree', 422]);
    return error;
  }
  assert.fail('nothing was refused');
}

const cot = JSON.stringify({ description: 'Chain of thought', prompt: 'Think.' });
const descriptions = JSON.stringify({
  patterns: [
    { patternName: 'b', description: 'Does b.', tags: ['WRITING', 7, ''] },
    { patternName: '__proto__', description: 'x' },
    { patternName: 'gone', description: 'x', tags: [] },
    'odd',
    { patternName: 3 },
  ],
});

test("Fabric's tree: patterns, strategies, descriptions, and what is left out", async () => {
  const plan = await planImport([
    file('README.md'),
    file('data/patterns/explanations.md'),
    file('data/patterns/b/system.md', 'Do {{x}} {{Foo}} {{plugin:sys:user}} {{a.b}}'),
    file('data/patterns/b/user.md', ''),
    file('data/patterns/a/system.md'),
    file('data/patterns/a/assets/one/two.md'),
    file('data/patterns/a/.DS_Store', '\u0001'),
    file('data/strategies/cot.json', cot),
    file('data/strategies/readme.md'),
    file('scripts/pattern_descriptions/pattern_descriptions.json', descriptions),
    file('.env', 'KEY=secret'),
    file('contexts/work'),
  ]);
  assert.deepEqual(
    plan.patterns.map(({ name }) => name),
    ['a', 'b'],
  );
  const [a, b] = plan.patterns;
  assert.deepEqual(
    a?.content.files.map(({ path }) => path),
    ['assets/one/two.md', 'system.md'],
  );
  assert.deepEqual([b?.content.description, b?.content.tags], ['Does b.', ['WRITING']]);
  assert.deepEqual(
    b?.content.variables.map(({ name }) => name),
    ['x'],
  );
  assert.deepEqual(b?.content.literal_tokens, ['{{Foo}}', '{{a.b}}']);
  assert.deepEqual(b?.content.disabled_capabilities, ['{{plugin:sys:user}}']);
  assert.deepEqual(
    plan.strategies.map(({ name, prompt }) => [name, prompt]),
    [['cot', 'Think.']],
  );
  assert.deepEqual(plan.ignored, [
    { path: 'data/patterns/a/.DS_Store', reason: 'hidden files are never imported' },
    { path: '.env', reason: 'hidden files are never imported' },
    { path: 'README.md', reason: 'outside the folder of patterns' },
    { path: 'data/patterns/explanations.md', reason: 'not in the folder of a pattern' },
    { path: 'data/strategies/readme.md', reason: 'a strategy is a .json file in the folder of strategies' },
    { path: 'contexts/work', reason: 'outside the folder of patterns' },
  ]);
});

test('every root is recognised', async () => {
  assert.deepEqual(await names([file('data/patterns/a/system.md')]), ['a']);
  assert.deepEqual(await names([file('patterns/a/system.md'), file('strategies/cot.json', cot)]), ['a']);
  assert.deepEqual(await names([file('fabric-main/data/patterns/a/system.md'), file('fabric-main/go.mod')]), ['a']);
  assert.deepEqual(await names([file('fabric/patterns/a/system.md')]), ['a']);
  assert.deepEqual(await names([file('a/system.md'), file('b/system.md'), file('LICENSE')]), ['a', 'b']);
  assert.deepEqual(await names([file('a/system.md'), file('a/README.md')]), ['a']);
  assert.deepEqual(await names([file('system.md'), file('notes/x.md')], '/home/me/my_pattern/'), ['my_pattern']);
  assert.deepEqual(await names([file('system.md')], 'C:\\lib\\my_pattern'), ['my_pattern']);
  assert.deepEqual((await planImport([file('strategies/cot.json', cot)])).strategies.length, 1);
});

test('data/patterns wins over patterns, and the other is listed', async () => {
  const plan = await planImport([file('patterns/old/system.md'), file('data/patterns/a/system.md')]);
  assert.deepEqual(
    plan.patterns.map(({ name }) => name),
    ['a'],
  );
  assert.deepEqual(
    plan.ignored.map(({ path }) => path),
    ['patterns/old/system.md'],
  );
});

test('one bad entry refuses the whole, named, with a pointer', async () => {
  const good = file('patterns/a/system.md');
  const bad: [string, RegExp][] = [
    ['../x/system.md', /holds ".."/],
    ['patterns/../../x', /holds ".."/],
    ['/etc/passwd', /absolute/],
    ['patterns\\a\\system.md', /backslash/],
    ['C:/x', /not every system/],
    ['patterns/b\0/system.md', /cannot be seen/],
    ['patterns/\u202eb/system.md', /cannot be seen/],
    ['patterns/A/system.md', /only in capitals/],
    ['patterns/a/SYSTEM.md', /only in capitals/],
    ['patterns/a/system.md', /there twice/],
    ['patterns/a', /to be a folder/],
    ['patterns/B/system.md', /cannot name a pattern/],
    ['patterns/b c/system.md', /cannot name a pattern/],
    ['patterns/-b/system.md', /cannot name a pattern/],
    [`patterns/${'b'.repeat(101)}/system.md`, /cannot name a pattern/],
    ['patterns/b/readme.md', /the folder b: system.md is missing/],
    [`patterns/a/${'x'.repeat(260)}`, /longer than 255/],
    [`patterns/a/${'x/'.repeat(600)}x`, /longer than 1024/],
    ['patterns/a/pattern.yml', /pattern.yaml/],
  ];
  for (const [path, wanted] of bad) {
    const error = await failure([good, file(path)]);
    assert.match(error.message, wanted, path);
    assert.match(error.message, /^Nothing was imported\. /);
    assert.match(error.details.pointer ?? '', /^\/files\/[01]$/);
  }
});

test('a pattern whose files are wrong is refused with the file', async () => {
  const yaml = await failure([file('p/system.md'), file('p/pattern.yaml', 'modle: x')]);
  assert.equal(yaml.details.pointer, '/files/1');
  assert.match(yaml.message, /"p\/pattern.yaml": pattern.yaml line 1: "modle"/);
  assert.match((await failure([file('p/system.md', ' ')])).message, /system.md is empty/);
  assert.match((await failure([file('p/system.md', 'x\0')])).message, /NUL/);
});

test('a strategy or the descriptions that cannot be read refuse the whole', async () => {
  const a = file('patterns/a/system.md');
  const texts = [
    '',
    '{',
    '[]',
    'null',
    '"x"',
    '{}',
    '{"prompt": ""}',
    '{"prompt": 3}',
    '{"prompt": "x", "description": 3}',
    '{"prompt": "\\u0000"}',
    '{"prompt": "\\ud800"}',
    `{"prompt": "${'x'.repeat(70_000)}"}`,
    '['.repeat(200_000),
  ];
  for (const text of texts) {
    const error = await failure([a, file('strategies/s.json', text)]);
    assert.match(error.message, /"strategies\/s.json"/);
  }
  await failure([a, file('strategies/Bad Name.json', cot)]);
  for (const text of ['{', '[]', '{"patterns": {}}']) {
    await failure([a, file('scripts/pattern_descriptions/pattern_descriptions.json', text)]);
  }
});

test('every problem is named, at most 100', async () => {
  const error = await failure([
    file('p/a/system.md'),
    ...Array.from({ length: 300 }, (_, index) => file(`patterns/BAD${index}/system.md`)),
  ]);
  assert.equal(error.details.problems?.length, 100);
  assert.match(error.message, /299 more/);
  assert.ok(error.message.length < 500);
});

test('a folder without patterns says what is expected', async () => {
  assert.match((await failure([file('LICENSE')])).message, /No pattern was found/);
  assert.match((await failure([file('.git/config')])).message, /No pattern was found/);
});

test('a single pattern needs a name that is allowed', async () => {
  assert.match((await failure([file('system.md')])).message, /cannot name a pattern/);
  assert.match((await failure([file('system.md')], '/home/My Pattern')).message, /cannot name a pattern/);
});

test('the same upload gives the same digests, in any order', async () => {
  const files = [file('b/system.md'), file('a/system.md'), file('a/README.md')];
  const digests = async (list: PatternFile[]) =>
    (await planImport(list)).patterns.map(({ content }) => content.files_digest);
  assert.deepEqual(await digests(files), await digests([...files].reverse()));
});
