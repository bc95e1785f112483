import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

export type Suite = 'quick' | 'deep';

export interface TestResult {
  readonly title: string;
  /** From the root of the house. */
  readonly file: string;
  readonly result: 'passed' | 'failed' | 'skipped';
  readonly ms: number;
}

/** What a whole suite gave, as it is kept in `test-results/`. */
export interface TestResults {
  readonly suite: Suite;
  /** Null where there is no git. What was changed since is told by `sources` alone. */
  readonly commit: string | null;
  /** SHA-256 over the paths and bytes of all sources: two runs with the same one tried the same house. */
  readonly sources: string;
  readonly date: string;
  readonly tests: readonly TestResult[];
}

/** An event of Node's test runner, as far as it is looked at. */
export interface TestEvent {
  readonly name: string;
  readonly file?: string;
  /** The file that was run, where the test itself stands in another one. */
  readonly entryFile?: string;
  readonly skip?: unknown;
  readonly todo?: unknown;
  readonly details?: { readonly duration_ms?: number };
}

const folder = 'test-results';
const ofOthers = (path: string) => path.includes('node_modules');
const wings = ['contracts', 'server', 'sdk', 'cli', 'scripts', 'tests', 'bench'];

/** What became of one test, by the event of its end. */
export function resultOf(root: string, passed: boolean, event: TestEvent): TestResult {
  const left = event.skip !== undefined && event.skip !== false;
  const open = event.todo !== undefined && event.todo !== false;
  return {
    title: event.name,
    file: relative(root, event.entryFile ?? event.file ?? root),
    result: left || open ? 'skipped' : passed ? 'passed' : 'failed',
    ms: Math.round(event.details?.duration_ms ?? 0),
  };
}

/**
 * Which suite a run of Node's test runner with these files and flags is, or null where it is only a part of one: some
 * files, or tests chosen by name.
 */
export function wholeSuite(root: string, files: readonly string[], flags: readonly string[]): Suite | null {
  if (flags.some((flag) => /^--test-(name-pattern|skip-pattern|only|shard|rerun)/.test(flag))) return null;
  const given = new Set(files.map((file) => relative(root, resolve(root, file))));
  const all = wings.flatMap((wing) => globSync(`${wing}/**/*.test.ts`, { cwd: root, exclude: ofOthers }));
  for (const suite of ['quick', 'deep'] as const) {
    const its = all.filter((file) => suiteOf(file) === suite);
    if (its.length === given.size && its.every((file) => given.has(file))) return suite;
  }
  return null;
}

export const suiteOf = (file: string): Suite => (file.endsWith('.deep.test.ts') ? 'deep' : 'quick');

/** Keeps what a whole suite gave. Whoever reads sees the old file or the new one. */
export function writeTestResults(root: string, suite: Suite, tests: readonly TestResult[], now: Date): TestResults {
  const run = { commit: readCommit(root), sources: digestSources(root), date: now.toISOString() };
  const results = { suite, ...run, tests };
  mkdirSync(join(root, folder), { recursive: true });
  const path = join(root, folder, `${suite}.json`);
  writeFileSync(`${path}.tmp`, `${JSON.stringify(results, null, 1)}\n`);
  renameSync(`${path}.tmp`, path);
  return results;
}

/** What the last whole run of a suite gave, or undefined. */
export function readTestResults(root: string, suite: Suite): TestResults | undefined {
  try {
    return JSON.parse(readFileSync(join(root, folder, `${suite}.json`), 'utf8')) as TestResults;
  } catch {
    return undefined;
  }
}

function digestSources(root: string): string {
  const hash = createHash('sha256');
  const kinds = '*.{ts,mjs,json,csv,sql,md,yaml}';
  const files = [...wings, 'docs'].flatMap((wing) => globSync(`${wing}/**/${kinds}`, { cwd: root, exclude: ofOthers }));
  for (const file of files.sort()) hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

/** Read by hand, since few files may start programs. */
function readCommit(root: string): string | null {
  const read = (name: string) => readFileSync(join(root, '.git', name), 'utf8').trim();
  try {
    const head = read('HEAD');
    if (!head.startsWith('ref: ')) return head;
    const name = head.slice(5);
    const packed = (text: string) =>
      text
        .split('\n')
        .find((line) => line.endsWith(` ${name}`))
        ?.slice(0, 40) ?? null;
    return existsSync(join(root, '.git', name)) ? read(name) : packed(read('packed-refs'));
  } catch {
    return null;
  }
}
