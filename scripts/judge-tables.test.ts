import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCsvTable } from './csv-table.ts';
import { judgeTables } from './judge-tables.ts';
import { type Requirement, testsOf } from './security-tables.ts';
import { resultOf, type TestResult, type TestResults, wholeSuite } from './test-results.ts';

const quick = 'tests/a.test.ts';
const deep = 'tests/b.deep.test.ts';

const requirement = (id: string, applies: Requirement['applies'], test = ''): Requirement => ({
  ...{ id, level: '1', applies, control: 'something', tests: testsOf(test) },
  whyNot: applies === 'no' ? 'does not apply: there is none' : '',
});
const ran = (file: string, title: string, result: TestResult['result'] = 'passed') => ({ file, title, result, ms: 1 });
const results = (suite: TestResults['suite'], ...tests: TestResult[]): TestResults => ({
  ...{ suite, commit: 'c0ffee', sources: 'decaf', date: '2026-11-23T00:00:00.000Z', tests },
});

const requirements = [
  requirement('V1.1.1', 'yes', `${quick}::one`),
  requirement('V1.1.2', 'part', `${quick}::one | ${deep}::two`),
  requirement('V1.2.1', 'no'),
  { ...requirement('V1.2.2', 'no'), whyNot: 'not met: it would need more' },
];
const controls = [
  {
    ...{ theme: 'Logging', soc2: 'CC7.2', iso27001: '8.15', gdpr: '', pci: '', feature: 'a log', evidence: 'audit/' },
    ...{ state: 'partly' as const, tests: testsOf(`${quick}::one`) },
  },
];

test('a run in which every named test passed says how many requirements that are', () => {
  const { totals, problems } = judgeTables({ requirements, controls }, results('quick', ran(quick, 'one')));
  assert.deepEqual(problems, []);
  assert.equal(
    totals,
    'asvs: 3 requirements apply: 1 met, 1 in part, 1 not met; 1 have tests that all ran and passed, 1 have tests of the other suite; 1 do not apply\n' +
      'controls: 1 themes: 0 there, 1 partly, 0 not there',
  );
});

test('a row that names a test that failed, was left out or is not there is a problem', () => {
  const judge = (...tests: TestResult[]) =>
    judgeTables({ requirements, controls: [] }, results('quick', ...tests)).problems;
  assert.deepEqual(judge(ran(quick, 'one', 'failed')), [
    `V1.1.1: ${quick}::one: failed`,
    `V1.1.2: ${quick}::one: failed`,
  ]);
  assert.equal(judge(ran(quick, 'one', 'skipped')).length, 2);
  assert.equal(judge(ran(quick, 'another')).length, 2);
  assert.equal(judge(ran('tests/c.test.ts', 'one')).length, 2);
  // Of two tests with one title the worse one counts, whichever came first.
  assert.equal(judge(ran(quick, 'one', 'failed'), ran(quick, 'one')).length, 2);
  assert.equal(judge(ran(quick, 'one'), ran(quick, 'one', 'failed')).length, 2);
  const planted = [...requirements, requirement('V9.9.9', 'yes', `${quick}::a test that nobody wrote`)];
  assert.deepEqual(judgeTables({ requirements: planted, controls: [] }, results('quick', ran(quick, 'one'))).problems, [
    `V9.9.9: ${quick}::a test that nobody wrote: not run`,
  ]);
  const theme = [{ ...controls[0], tests: testsOf(`${quick}::gone`) }] as typeof controls;
  assert.deepEqual(judgeTables({ requirements: [], controls: theme }, results('quick')).problems, [
    `Logging: ${quick}::gone: not run`,
  ]);
});

test('each suite answers for its own tests, and counts those of the other one from the same sources', () => {
  const own = results('deep', ran(deep, 'two'));
  const other = results('quick', ran(quick, 'one'));
  assert.deepEqual(judgeTables({ requirements, controls }, results('deep')).problems, [
    `V1.1.2: ${deep}::two: not run`,
  ]);
  const both = judgeTables({ requirements, controls }, own, other);
  assert.deepEqual(both.problems, []);
  assert.match(both.totals, /; 2 have tests that all ran and passed; 1 do not apply/);
  const old = { ...other, sources: 'another' };
  assert.match(judgeTables({ requirements, controls }, own, old).totals, /; 0 have tests that all ran/);
});

test('a part of a suite is no suite', () => {
  const root = process.cwd();
  assert.equal(wholeSuite(root, ['scripts/judge-tables.test.ts'], ['--test']), null);
  assert.equal(wholeSuite(root, [], ['--test']), null);
  assert.equal(wholeSuite(root, [], ['--test', '--test-name-pattern=x']), null);
});

test('the end of a test is read as what it was', () => {
  const event = {
    name: 'one',
    file: '/house/tests/shared.ts',
    entryFile: `/house/${quick}`,
    details: { duration_ms: 1.6 },
  };
  assert.deepEqual(resultOf('/house', true, event), { title: 'one', file: quick, result: 'passed', ms: 2 });
  assert.equal(resultOf('/house', false, event).result, 'failed');
  assert.equal(resultOf('/house', true, { ...event, skip: 'no browser' }).result, 'skipped');
  assert.equal(resultOf('/house', false, { ...event, todo: true }).result, 'skipped');
  assert.equal(resultOf('/house', true, { name: 'x', file: '/house/tests/d.test.ts' }).file, 'tests/d.test.ts');
});

test('a table is read with its quotes, and a row of another width is refused', () => {
  const text = '# for people\nid,words,test\nA,"one, ""two""",\n"B",,x::y\n';
  assert.deepEqual(readCsvTable(text), [
    { id: 'A', words: 'one, "two"', test: '' },
    { id: 'B', words: '', test: 'x::y' },
  ]);
  assert.throws(() => readCsvTable('a,b\n1,2,3\n'), /3 cells/);
  assert.throws(() => testsOf('no test'), /file::title/);
});
