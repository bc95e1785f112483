import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commands } from '../../cli/src/commands.ts';
import { type NamedTest, readControls, readRequirements } from '../../scripts/security-tables.ts';
import { houseRoot } from '../architecture/house.ts';
import { titlesOf } from '../attacks/attack-cases.ts';
import { countLevels, requiredIds } from './asvs-levels.ts';

const requirements = readRequirements(houseRoot);
const controls = readControls(houseRoot);
const sources = new Map<string, ReadonlySet<string>>();

/** Why a test cannot be what a row leans on, or null. */
function whyNoTest({ file, title }: NamedTest): string | null {
  if (!file.endsWith('.test.ts') || !existsSync(join(houseRoot, file))) return `${file} is no file of tests`;
  if (!sources.has(file)) {
    const titles = titlesOf(readFileSync(join(houseRoot, file), 'utf8'));
    sources.set(file, new Set(titles.map((one) => one.replaceAll("\\'", "'"))));
  }
  return sources.get(file)?.has(title) ? null : `${file} has no test "${title}"`;
}

test('asvs.csv has each requirement of levels 1 and 2, and those of level 3 that were chosen', () => {
  assert.deepEqual(countLevels(), { 1: 70, 2: 183, 3: 92 });
  const needed = requiredIds();
  assert.equal(needed.size, 253 + 24);
  assert.deepEqual(
    requirements.map(({ id, level }) => [id, level]),
    [...needed],
  );
});

test('each requirement says whether it applies, and either leans on tests or says why not', () => {
  for (const { id, applies, whyNot, control, tests } of requirements) {
    assert.ok(['yes', 'part', 'no'].includes(applies), id);
    assert.equal(whyNot !== '', applies !== 'yes', `${id}: why_not`);
    assert.equal(control !== '', applies !== 'no', `${id}: control`);
    assert.equal(tests.length > 0, applies !== 'no', `${id}: test`);
    if (applies === 'no') assert.match(whyNot, /^(does not apply|not met): /, id);
    assert.ok(control.length <= 200 && whyNot.length <= 200, `${id}: short words`);
  }
});

test('each theme of controls.csv says how far it is there, and where the evidence is', () => {
  assert.ok(controls.length > 20);
  for (const { theme, state, feature, evidence, tests } of controls) {
    assert.ok(['there', 'partly', 'not there'].includes(state), theme);
    assert.notEqual(feature, '', theme);
    assert.equal(tests.length > 0 && evidence !== '', state !== 'not there', theme);
    for (const place of evidence.split(' | ')) {
      if (place.startsWith('docs/')) assert.ok(existsSync(join(houseRoot, place)), `${theme}: ${place}`);
      const [, command] = /^damask ([a-z -]+)$/.exec(place) ?? [];
      if (command) assert.ok(Object.hasOwn(commands, command), `${theme}: there is no ${place}`);
    }
  }
  const words = readFileSync(join(houseRoot, 'docs/security/controls.csv'), 'utf8');
  assert.doesNotMatch(words, /100 ?%|fully compliant|certified/i, 'A program alone complies with nothing.');
});

test('each test that the tables name exists', () => {
  const named = [
    ...requirements.map(({ id, tests }) => ({ id, tests })),
    ...controls.map(({ theme, tests }) => ({ id: theme, tests })),
  ];
  const wrong = named.flatMap(({ id, tests }) =>
    tests.flatMap((one) => {
      const why = whyNoTest(one);
      return why === null ? [] : [`${id}: ${why}`];
    }),
  );
  assert.deepEqual(wrong, [], 'Name a test that is there, or say that the requirement is not met.');
  const file = 'tests/security/asvs.test.ts';
  assert.equal(whyNoTest({ file, title: 'each test that the tables name exists' }), null);
  assert.match(String(whyNoTest({ file, title: 'a test that nobody wrote' })), /has no test/);
  assert.match(String(whyNoTest({ file: 'tests/gone.test.ts', title: 'x' })), /is no file/);
});
