import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { errorCatalogue } from '@damask/contracts/errors.ts';
import { events } from '@damask/contracts/events.ts';
import { serviceOperations } from '@damask/contracts/services.ts';
import { commands } from '../../cli/src/commands.ts';
import { listSettings } from '../../server/src/config.ts';
import { type HouseFile, houseFiles, houseRoot } from './house.ts';

/** The words of the house; a path that begins otherwise belongs to somebody's own folder. */
const wings = /^(contracts|server|sdk|cli|docs|patterns|scripts|tests|bench|\.ci)\//;
const rootFiles = /^[A-Z]{2,}\.md$|^LICENSE$|^(package|package-lock|tsconfig|biome)\.json$|^\.dependency-cruiser\.mjs$/;

const pages = () => houseFiles().filter(({ path }) => path.endsWith('.md') && !path.startsWith('patterns/'));

/** Paths that a page names, in backticks or as a link, from the root of the house. */
function namedPaths({ path, text }: HouseFile): string[] {
  const prose = text.replaceAll(/```[\s\S]*?```/g, '');
  const ticked = [...prose.matchAll(/`([^`\s]+)`/g)]
    .map(([, word]) => (word as string).replace(/^\.\//, ''))
    .filter((word) => wings.test(word) || rootFiles.test(word))
    // Placeholders, and the one folder of Fabric's own tree that has the name of one of ours.
    .filter((word) => !/[<>{}*]|\.\.\.|NNNN|^scripts\/pattern_descriptions/.test(word));
  const linked = [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => (target as string).replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
    .map((target) => normalize(join(dirname(path), target)));
  return [...ticked, ...linked].map((name) => name.replace(/:\d+$/, '').replace(/\/$/, ''));
}

const page = (path: string) => houseFiles().find((file) => file.path === path)?.text ?? '';

test('every path that a page names exists', () => {
  const stale = pages().flatMap((file) =>
    namedPaths(file)
      .filter((path) => !existsSync(join(houseRoot, path)))
      .map((path) => `${file.path} names ${path}`),
  );
  assert.deepEqual(stale, [], 'Mend the page, or the path.');
});

test('a stale path is found', () => {
  const file = (text: string) => ({ path: 'docs/decisions/0001-x.md', text });
  assert.deepEqual(namedPaths(file('see `server/src/gone.ts:12` and `server/src/`')), [
    'server/src/gone.ts',
    'server/src',
  ]);
  assert.deepEqual(namedPaths(file('see [one](../reference/gone.md#a) and [two](https://example.com/x)')), [
    'docs/reference/gone.md',
  ]);
  assert.deepEqual(namedPaths(file('`damask run` and `server/src/services/<service>/x.ts`')), []);
});

test('every setting is in the reference, and no page names one that does not exist', () => {
  const settings = new Set(listSettings().map(({ variable }) => variable));
  const reference = page('docs/reference/settings.md');
  for (const variable of settings) assert.ok(reference.includes(`\`${variable}\``), `${variable} is in no reference`);
  const known = (name: string) => settings.has(name) || reference.includes(`\`${name}\``);
  const unknown = pages().flatMap(({ path, text }) =>
    [...text.matchAll(/\bDAMASK_[A-Z0-9_]+\b/g)]
      .map(([name]) => name)
      .filter((name) => !known(name))
      .map((name) => `${path}: ${name}`),
  );
  assert.deepEqual(unknown, []);
});

test('every operation, event and error is in the reference', () => {
  const operations = page('docs/reference/operations.md');
  for (const [service, contract] of Object.entries(serviceOperations)) {
    for (const [name, { permission }] of Object.entries(contract as Record<string, { permission: string }>)) {
      const mark = permission === 'internal' ? `\`${name}\`` : `### ${name}\n`;
      assert.ok(operations.includes(mark), `${service}.${name} is not in docs/reference/operations.md`);
    }
  }
  const said = page('docs/reference/events.md');
  for (const name of Object.keys(events)) assert.ok(said.includes(`\`${name}\``), name);
  const errors = page('docs/reference/errors.md');
  for (const code of Object.keys(errorCatalogue)) assert.ok(errors.includes(`| \`${code}\` |`), code);
});

test('each service README has the same headings', () => {
  const wanted = ['Owns', 'Offers', 'Says', 'Hears', 'Needs', 'Settings', 'What breaks first'];
  const readmes = houseFiles().filter(({ path }) => /^server\/src\/services\/[^/]+\/README\.md$/.test(path));
  assert.ok(readmes.length > 0);
  for (const { path, text } of readmes) assert.deepEqual(headings(text), wanted, path);
  assert.deepEqual(headings('# a\n\n## Owns\n\ntext\n\n### x\n\n## Offers (operations)\n'), ['Owns', 'Offers']);
});

test('each decision is a numbered, dated page in the list of ARCHITECTURE.md', () => {
  const list = page('ARCHITECTURE.md');
  const decisions = houseFiles().filter(({ path }) => path.startsWith('docs/decisions/'));
  decisions.forEach(({ path, text }, index) => {
    assert.match(path, /^docs\/decisions\/\d{4}-[a-z0-9-]+\.md$/);
    assert.equal(Number(path.slice(15, 19)), index + 1, `${path}: the numbers have a gap`);
    assert.match(text, /\d{4}-\d{2}-\d{2}/, `${path} has no date`);
    assert.ok(list.includes(`](${path})`), `${path} is not in the list`);
    assert.ok(text.split('\n').length <= 80, `${path} is longer than a page`);
  });
});

test('every command that a page shows exists', () => {
  const unknown = pages().flatMap(({ path, text }) => strangeCommands(text).map((words) => `${path}: ${words}`));
  assert.deepEqual(unknown, []);
  assert.deepEqual(
    strangeCommands('```sh\ncat a | npx damask run b | damask fly c\nnpm run generate\nnpm run paint\n```'),
    ['damask fly', 'npm run paint'],
  );
});

test("the README's quick start is the one that was promised", () => {
  const [start = '', second = ''] = [
    ...(page('README.md')
      .split('## Quick start')[1]
      ?.matchAll(/```sh\n([\s\S]*?)```/g) ?? []),
  ].map(([, block]) => block as string);
  assert.equal(start, 'npm start\n');
  assert.match(second, /^git clone \S+fabric \.\.\/fabric\n/);
  assert.match(second, /\nnpx damask import \.\.\/fabric && npx damask run summarize < README\.md\nnpx damask runs\n$/);
});

test('the first pages keep their lengths', () => {
  for (const [path, least, most] of [
    ['README.md', 60, 100],
    ['ARCHITECTURE.md', 60, 160],
    ['CONTRIBUTING.md', 40, 160],
  ] as const) {
    const lines = page(path).trimEnd().split('\n').length;
    assert.ok(lines >= least && lines <= most, `${path} has ${lines} lines, ${least} to ${most} are its size`);
  }
});

/** Where the house is built, and with what, is nobody's business who reads it. The pieces keep this file from naming them. */
const outside = new RegExp(
  [
    `/wor${'k'}/(main|steering|shared|\\.library)`,
    `registr${'y'}\\.npmjs`,
    `pyp${'i'}\\.org`,
    `proxy\\.golan${'g'}`,
    `repo1?\\.mave${'n'}`,
    `/(hom${'e'}|User${'s'})/(?!me/)[a-z]+/`,
    `/roo${'t'}/\\.`,
    'C:\\\\\\\\?Users',
    `(nexu${'s'}|artifactor${'y'})\\.`,
  ].join('|'),
  'i',
);

test('no file names a machine, its folders or a registry', () => {
  const named = houseFiles().flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) => (outside.test(line) ? [`${path}:${index + 1}: ${line.slice(0, 120)}`] : [])),
  );
  assert.deepEqual(named, []);
  for (const sample of [`cd /wor${'k'}/main`, `https://registr${'y'}.npmjs.example/x`, `/hom${'e'}/ann/x`]) {
    assert.match(sample, outside);
  }
  assert.doesNotMatch('the working folder /var/lib/damask', outside);
});

/** Commands in code, shown or in backticks, that neither the command line nor package.json knows. */
function strangeCommands(text: string): string[] {
  const code = [...text.matchAll(/```sh\n([\s\S]*?)```|`((?:npx )?damask [^`]+|npm [^`]+)`/g)]
    .map(([all]) => all)
    .join('\n');
  const scripts = Object.keys(JSON.parse(page('package.json')).scripts);
  const known = new Set(['help', ...Object.keys(commands).map((name) => name.split(' ')[0])]);
  return [
    ...[...code.matchAll(/\bdamask ([a-z][a-z-]*)/g)].filter(([, name]) => !known.has(name as string)),
    ...[...code.matchAll(/\bnpm run ([a-z:-]+)/g)].filter(([, name]) => !scripts.includes(name as string)),
  ].map(([words]) => words);
}

function headings(text: string): string[] {
  return [...text.matchAll(/^## (.+)$/gm)].map(([, words]) => (words as string).replace(/ \(.*\)$/, '').trim());
}
