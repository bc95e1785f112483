import type { Control, NamedTest, Requirement } from './security-tables.ts';
import { type Suite, suiteOf, type TestResults } from './test-results.ts';

export interface Verdict {
  readonly totals: string;
  /** Each a test that a table names and that did not pass; the run has failed then. */
  readonly problems: readonly string[];
}

/** A row by its name, and the tests that it leans on. */
interface Row {
  readonly name: string;
  readonly tests: readonly NamedTest[];
}

/**
 * Holds what the tables of `docs/security` say against what was run: each test of `suite` that they name must be there
 * and have passed. Tests of the other suite count as run where `other` has them from the same sources.
 */
export function judgeTables(
  { requirements, controls }: { requirements: readonly Requirement[]; controls: readonly Control[] },
  results: TestResults,
  other?: TestResults,
): Verdict {
  const same = other !== undefined && other.sources === results.sources;
  const seen = new Map<string, string>();
  for (const run of same ? [other, results] : [results]) {
    for (const { file, title, result } of run.tests) {
      const key = `${file}::${title}`;
      // Of two tests with one title none may have failed.
      if (seen.get(key) === undefined || result !== 'passed') seen.set(key, result);
    }
  }
  const applying = requirements.filter(({ applies }) => applies !== 'no');
  const rows = [
    ...applying.map(({ id, tests }) => ({ name: id, tests })),
    ...controls.map(({ theme, tests }) => ({ name: theme, tests })),
  ];
  return {
    totals: `${sayRequirements(requirements, applying, seen, results.suite)}\n${sayControls(controls)}`,
    problems: rows.flatMap((row) => problemsOf(row, seen, results.suite)),
  };
}

function problemsOf({ name, tests }: Row, seen: ReadonlyMap<string, string>, suite: Suite): string[] {
  return tests
    .filter(({ file }) => suiteOf(file) === suite)
    .flatMap(({ file, title }) => {
      const result = seen.get(`${file}::${title}`) ?? 'not run';
      return result === 'passed' ? [] : [`${name}: ${file}::${title}: ${result}`];
    });
}

function sayRequirements(
  all: readonly Requirement[],
  applying: readonly Requirement[],
  seen: ReadonlyMap<string, string>,
  suite: Suite,
): string {
  const ran = applying.filter(
    ({ tests }) => tests.length > 0 && tests.every(({ file, title }) => seen.get(`${file}::${title}`) === 'passed'),
  );
  const elsewhere = applying.filter(({ tests }) =>
    tests.some(({ file, title }) => suiteOf(file) !== suite && !seen.has(`${file}::${title}`)),
  );
  const part = applying.filter(({ applies }) => applies === 'part').length;
  const open = all.filter(({ applies, whyNot }) => applies === 'no' && whyNot.startsWith('not met')).length;
  return [
    `asvs: ${applying.length + open} requirements apply: ${applying.length - part} met, ${part} in part, ${open} not met`,
    `${ran.length} have tests that all ran and passed${elsewhere.length > 0 ? `, ${elsewhere.length} have tests of the other suite` : ''}`,
    `${all.length - applying.length - open} do not apply`,
  ].join('; ');
}

function sayControls(controls: readonly Control[]): string {
  const count = (state: string) => controls.filter((one) => one.state === state).length;
  return `controls: ${controls.length} themes: ${count('there')} there, ${count('partly')} partly, ${count('not there')} not there`;
}
