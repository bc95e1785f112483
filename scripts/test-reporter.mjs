import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { judgeTables } from './judge-tables.ts';
import { readControls, readRequirements } from './security-tables.ts';
import { readTestResults, resultOf, wholeSuite, writeTestResults } from './test-results.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Node's `spec` report, what the tables of docs/security lean on, and after it one plain line with the totals. */
export default async function* report(source) {
  let counts = { passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 };
  const results = [];
  async function* watched() {
    for await (const event of source) {
      // Each file has a summary of its own; the one of the whole run names no file.
      if (event.type === 'test:summary' && event.data.file === undefined) counts = event.data.counts;
      if (event.type === 'test:pass' || event.type === 'test:fail') {
        results.push(resultOf(root, event.type === 'test:pass', event.data));
      }
      yield event;
    }
  }
  yield* Readable.from(watched()).pipe(new spec());
  const suite = wholeSuite(root, process.argv.slice(1), process.execArgv);
  if (suite) yield judge(suite, results);
  const { passed, failed, cancelled, skipped, todo } = counts;
  yield `\n${passed} passed, ${failed + cancelled} failed, ${skipped + todo} skipped\n`;
}

/** Keeps the results, and fails the run where a table names a test that did not pass in it. */
function judge(suite, results) {
  try {
    const kept = writeTestResults(root, suite, results, new Date());
    const tables = { requirements: readRequirements(root), controls: readControls(root) };
    const { totals, problems } = judgeTables(tables, kept, readTestResults(root, suite === 'quick' ? 'deep' : 'quick'));
    if (problems.length === 0) return `\n${totals}\n`;
    process.exitCode = 1;
    return `\n${totals}\ndocs/security names tests that did not pass in this run. Mend the test, or the row:\n  ${problems.join('\n  ')}\n`;
  } catch (error) {
    process.exitCode = 1;
    return `\nWhat docs/security says could not be checked: ${error.stack}\n`;
  }
}
