import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { AppError } from '#platform/app-error.ts';
import { libraryForTests } from '../library/library-for-tests.ts';

const { library, alpha, stop } = await libraryForTests();
after(stop);

const folder = (name: string, system: string, yaml = 'template: 2\n') => [
  { path: `patterns/${name}/pattern.yaml`, content: yaml },
  { path: `patterns/${name}/system.md`, content: system },
];
const refused = async (files: { path: string; content: string }[]) => {
  const error = await library.importTree(alpha(), { files }).then(
    () => assert.fail('nothing was refused'),
    (reason) => reason as AppError,
  );
  assert.equal(error.code, 'invalid_tree', error.message);
  return error.message;
};

test('patterns of one import include each other, whatever their order', async () => {
  const files = [
    ...folder('a_letter', '{{> m_style#Tone}} {{> z_rules}}'),
    ...folder('m_style', '# TONE\nBe {{tone}}. {{> z_rules}}'),
    ...folder('z_rules', 'Be kind.'),
  ];
  const dry = await library.importTree(alpha(), { files, dry_run: true });
  assert.deepEqual(dry.patterns[0]?.variables, ['tone']);
  const report = await library.importTree(alpha(), { files });
  assert.deepEqual(
    report.patterns.map(({ name, outcome }) => [name, outcome]),
    [
      ['a_letter', 'new'],
      ['m_style', 'new'],
      ['z_rules', 'new'],
    ],
  );
  const letter = await library.readVersion(alpha(), { pattern: 'a_letter', version: 1 });
  assert.deepEqual(
    letter.includes.map(({ pattern, version, through }) => [pattern, version, through]),
    [
      ['m_style', 1, []],
      ['z_rules', 1, ['m_style']],
      ['z_rules', 1, []],
    ],
  );
  const again = await library.importTree(alpha(), { files });
  assert.deepEqual([...new Set(again.patterns.map(({ outcome }) => outcome))], ['same']);
});

test('a circle, a name that leads nowhere and a broken tag keep a whole import out', async () => {
  const circle = [...folder('ring_one', '{{> ring_two}}'), ...folder('ring_two', '{{> ring_one}}')];
  assert.match(await refused(circle), /Nothing was imported.*leads back to itself: ring_one → ring_two → ring_one/);
  const lost = [...folder('fine', 'Fine.'), ...folder('lost', 'x\n{{> nowhere}}')];
  assert.match(await refused(lost), /the folder "lost": system\.md line 2: .*not there: nowhere/);
  assert.match(
    await refused(folder('broken', 'x\n{{#each a}}')),
    /system\.md line 2: .*no tag of the template language/,
  );
  const { items } = await library.listPatterns(alpha(), {});
  assert.deepEqual(
    items.map(({ name }) => name),
    ['a_letter', 'm_style', 'z_rules'],
  );
});

test('each pattern of a long row of includes is told once, from whichever end it is read', async () => {
  for (const [step, end] of [
    [-1, -1],
    [1, 150],
  ] as const) {
    const name = (index: number) => `row_${String(index).padStart(3, '0')}`;
    const row = Array.from({ length: 150 }, (_, index) => folder(name(index), `{{> ${name(index + step)}}}`)).flat();
    const message = await refused([...row, ...folder(name(end), 'The end.')]);
    const [, more] = /(\d+) more; problems lists/.exec(message) ?? [];
    assert.ok(Number(more) < 150, message);
  }
});

test('a text that many patterns of one import include does not fill the memory', async () => {
  const base = folder('base', 'x'.repeat(1_000_000));
  const many = Array.from({ length: 70 }, (_, index) => folder(`fan_${index}`, '{{> base}}')).flat();
  assert.match(await refused([...base, ...many]), /include more than 67108864 characters in all; import parts of it/);
});
