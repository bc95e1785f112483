import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { AppError } from '#platform/app-error.ts';
import { hostileTexts } from '../template/hostile-text.ts';
import { buildMessages } from './build-messages.ts';
import { libraryForTests } from './library-for-tests.ts';
import { createLibraryTable } from './library-table.ts';

const { library, database, log, alpha, beta, stop } = await libraryForTests();
after(stop);

const two = 'template: 2\n';
const filesOf = (system: string, yaml = two) => [
  { path: 'pattern.yaml', content: yaml },
  { path: 'system.md', content: system },
];
const put = (name: string, system: string, yaml?: string) =>
  library.createPattern(alpha(), { name, files: filesOf(system, yaml) });
const publish = (pattern: string, system: string, yaml?: string) =>
  library.publishVersion(alpha(), { pattern, files: filesOf(system, yaml) });
const detailsOf = async (work: Promise<unknown>) => {
  const error = (await work.then(
    () => assert.fail('nothing was refused'),
    (reason) => reason,
  )) as AppError;
  assert.equal(error.code, 'invalid_pattern', error.message);
  const { problems } = error.details as { problems: { pointer: string; detail: string }[] };
  return problems.map(({ pointer, detail }) => `${pointer} ${detail}`).join('\n');
};

/** The text that a run of the version sends, read through the table of the run path. */
async function textOf(name: string, variables: Record<string, string> = {}, version?: number): Promise<string> {
  const table = createLibraryTable({ database, log });
  await table.load();
  const { workspace } = alpha();
  const found = version ? await table.version(workspace, name, version) : table.find(workspace, name)?.latest;
  assert.ok(found);
  const [system] = buildMessages(found, { input: 'INPUT', variables, now: 0 });
  return String(system?.content);
}

test('a text and a section of other patterns stand in a version, by their own rules', async () => {
  await put(
    'house_style',
    '# STYLE\n\nWrite {{tone}}.\n\n## Never\n\nNo {{BaseURL}}.\n\n# INPUT:\n\n{{input}}\n',
    'variables: {tone: {type: enum, values: [warm, dry], default: warm}}',
  );
  await put(
    'rules',
    '{{#if strict}}\nBe strict.\n{{/if}}\nBe kind.\n\n',
    `${two}variables: {strict: {type: boolean, required: false}}`,
  );
  await put('letter', 'Write a letter.\n\n{{> rules}}\n\n# How\n{{> house_style#style:}}\nBye.');
  assert.equal(
    await textOf('letter'),
    'Write a letter.\n\nBe kind.\n\n# How\nWrite warm.\n\n## Never\n\nNo {{BaseURL}}.\nBye.',
  );
  assert.equal(
    await textOf('letter', { strict: 'true', tone: 'dry' }),
    'Write a letter.\n\nBe strict.\nBe kind.\n\n# How\nWrite dry.\n\n## Never\n\nNo {{BaseURL}}.\nBye.',
  );
  const version = await library.readVersion(alpha(), { pattern: 'letter', version: 1 });
  assert.deepEqual(
    version.variables.map(({ name }) => name),
    ['strict', 'tone'],
  );
  assert.deepEqual(
    version.includes.map(({ pattern, section, version: number, through }) => [pattern, section, number, through]),
    [
      ['rules', null, 1, []],
      ['house_style', 'style:', 1, []],
    ],
  );
  assert.deepEqual(version.files, filesOf('Write a letter.\n\n{{> rules}}\n\n# How\n{{> house_style#style:}}\nBye.'));
});

test('what is included is pinned: a changed or deleted pattern changes no published version', async () => {
  await put('pinned', 'First.');
  await put('holder', 'Hold: {{> pinned}}');
  const first = await library.readVersion(alpha(), { pattern: 'holder', version: 1 });
  await publish('pinned', 'Second.');
  assert.equal(await textOf('holder'), 'Hold: First.');
  // The same files again: what they include has moved on, so this is another version with another digest.
  const second = await publish('holder', 'Hold: {{> pinned}}');
  assert.deepEqual([second.version, second.includes[0]?.version], [2, 2]);
  assert.notEqual(second.digest, first.digest);
  assert.deepEqual(await publish('holder', 'Hold: {{> pinned}}'), second);
  await library.deletePattern(alpha(), { pattern: 'pinned' });
  assert.deepEqual([await textOf('holder'), await textOf('holder', {}, 1)], ['Hold: Second.', 'Hold: First.']);
  assert.match(
    await detailsOf(publish('holder', 'Hold again: {{> pinned}}')),
    /names a pattern that is not there: pinned/,
  );
});

test('the digest covers the words that are included, not the number of their version', async () => {
  await put('words', '# A\nOne.\n# B\nTwo.');
  await put('uses_words', '{{> words#A}}');
  const before = await library.readVersion(alpha(), { pattern: 'uses_words', version: 1 });
  await publish('words', '# A\nOne.\n# B\nThree.');
  assert.deepEqual(await publish('uses_words', '{{> words#A}}'), before);
});

test('a pattern that leads back to itself is refused, and the path is named', async () => {
  assert.match(
    await detailsOf(put('self', 'x\n{{> self}}')),
    /^\/files\/1 system.md line 2: "\{\{> self\}\}" leads back to itself: self → self/,
  );
  await put('ring_a', 'A');
  await put('ring_b', 'B {{> ring_a}}');
  await put('ring_c', 'C {{> ring_b}}');
  assert.match(await detailsOf(publish('ring_a', 'A {{> ring_c}}')), /ring_a → ring_c → ring_b → ring_a/);
  assert.equal((await library.readPattern(alpha(), { pattern: 'ring_a' })).version, 1);
});

test('five levels are held, a sixth is refused with its path', async () => {
  await put('level_0', 'end');
  for (let level = 1; level <= 5; level++) await put(`level_${level}`, `${level} {{> level_${level - 1}}}`);
  assert.equal(await textOf('level_5'), '5 4 3 2 1 end');
  const { includes } = await library.readVersion(alpha(), { pattern: 'level_5', version: 1 });
  assert.deepEqual(includes.at(-1)?.through, ['level_4', 'level_3', 'level_2', 'level_1']);
  assert.match(await detailsOf(put('level_6', '{{> level_5}}')), /more than 5 levels deep: level_5 → .* → level_0/);
});

test('includes that grow by doubling are refused before they fill the memory', async () => {
  await put('grow_0', 'x'.repeat(1000));
  await put('grow_1', '{{> grow_0}}'.repeat(10));
  assert.match(await detailsOf(put('grow_2', '{{> grow_1}}'.repeat(10))), /more than 100 texts are included/);
  await put('wide_0', 'x'.repeat(600_000));
  assert.match(await detailsOf(put('wide_1', '{{> wide_0}}{{> wide_0}}')), /more than 1048576 characters/);
});

test('a missing section, one that is there twice and one that cuts a block are refused with what there is', async () => {
  await put(
    'parts',
    '# STEPS\n{{#if a}}\n# OUTPUT\n{{/if}}\n# TWICE\n# Twice:\n```\n# code\n```\n',
    `${two}variables: {a: {required: false}}`,
  );
  assert.match(
    await detailsOf(put('wants', '{{> parts#OUTPUTS}}')),
    /does not have; did you mean OUTPUT\. It has "STEPS", "OUTPUT", "TWICE", "Twice:"$/m,
  );
  assert.match(await detailsOf(put('wants', '{{> parts#twice}}')), /more than once/);
  assert.match(await detailsOf(put('wants', '{{> parts#steps}}')), /begins or ends inside a block/);
  assert.match(await detailsOf(put('wants', '{{> parts#code}}')), /does not have/);
});

test('variables: the own rule wins, two that differ must be settled, an enum is never asked for what it cannot be', async () => {
  await put('var_a', '{{size}}', 'variables: {size: {type: integer}}');
  await put('var_b', '{{size}}', 'variables: {size: {type: enum, values: [s, l]}}');
  assert.match(
    await detailsOf(put('var_c', '{{> var_a}}{{> var_b}}')),
    /var_a and var_b describe the variable size differently; declare it/,
  );
  await put('var_c', '{{> var_a}}{{> var_b}}', `${two}variables: {size: {default: m}}`);
  assert.equal(await textOf('var_c'), 'mm');
  const yaml = `${two}variables: {tone: {type: enum, values: [warm, dry]}}`;
  assert.match(
    await detailsOf(put('var_d', '{{#if tone == "warn"}}x{{/if}}', yaml)),
    /line 1: .* is never true: tone must be one of warm, dry/,
  );
  assert.match(
    await detailsOf(put('var_d', '{{#if tune}}x{{/if}}', yaml)),
    /asks for a variable that is not declared: declare tune/,
  );
});

test('values are never read, wherever they are put in', async () => {
  await put('inner_value', '<{{value}}>');
  await put(
    'outer_value',
    '{{> inner_value}} {{#if value}}{{value}}{{/if}}',
    `${two}variables: {value: {required: false}}`,
  );
  for (const value of hostileTexts.filter((text) => text !== '')) {
    assert.equal(await textOf('outer_value', { value: `${value}.` }), `<${value}.> ${value}.`);
  }
});

test('what another workspace has cannot be included', async () => {
  await library.createPattern(beta(), { name: 'theirs', system: 'Secret.' });
  assert.match(await detailsOf(put('mine', '{{> theirs}}')), /not there: theirs/);
});

test('a pattern without template: 2 keeps such text', async () => {
  await put('plain', '{{#if a}} {{> other}}', '');
  assert.equal(await textOf('plain'), '{{#if a}} {{> other}}');
});
