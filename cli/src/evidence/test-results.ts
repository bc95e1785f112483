import { readFileSync, statSync } from 'node:fs';

const largest = 32 * 1024 * 1024;

/** What became of tests, by `file::title`, from results that a whole run of the house wrote; other forms tell nothing here. */
export function readResults(paths: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const path of paths) {
    for (const { file, title, result } of testsIn(path)) {
      const name = `${file}::${title}`;
      // Of two that have one name, or ran twice, the worse one counts.
      if (found.get(name) !== 'failed') found.set(name, result);
    }
  }
  return found;
}

interface Result {
  readonly file: string;
  readonly title: string;
  readonly result: string;
}

function testsIn(path: string): Result[] {
  try {
    if (statSync(path).size > largest) return [];
    const { tests } = JSON.parse(readFileSync(path, 'utf8')) as { tests: Result[] };
    return tests.filter((one) => [one.file, one.title, one.result].every((text) => typeof text === 'string'));
  } catch {
    return [];
  }
}
