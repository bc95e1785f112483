import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { ServerAccess } from './command.ts';
import { explainError } from './explain-error.ts';
import { InputError } from './input-error.ts';
import { holdsPattern } from './pattern-folder.ts';
import { publishFolder } from './publish-folder.ts';
import { readInput } from './read-input.ts';
import { readTextFile } from './read-text-file.ts';
import { modelsOf, previewChoice, runChoice } from './run-flags.ts';
import { attachmentsOf, type RunInvocation, streams } from './run-invocation.ts';
import { createCalls, type RunInput, runAtOnce, runStreamed } from './run-pattern.ts';
import { UsageError } from './usage-error.ts';
import { waitForModel } from './wait-for-model.ts';
import { watchFiles } from './watch-files.ts';

/** What a change runs: a pattern's own folder, or texts that a pattern is run on. */
interface Watched {
  readonly pattern: string;
  /** Published when something in it changes. */
  readonly folder: string | undefined;
  readonly texts: readonly string[];
  /** The input where no text is watched. */
  readonly input: string | undefined;
}

/** Runs a pattern again whenever its input or its own folder changes, until Ctrl-C. */
export async function watchRun(invocation: RunInvocation): Promise<undefined> {
  const { flags, terminal, config } = invocation;
  const models = modelsOf(flags);
  if (flags['dry-run'] || flags.copy || models.length > 1) {
    throw new UsageError('--watch runs one model and prints: leave --dry-run, -c and the second -m out.');
  }
  const watched = await whatToWatch(invocation);
  const choice = { ...previewChoice(flags), ...runChoice(flags), model: models[0] };
  const access = await invocation.connect();
  let current = new AbortController();
  let running: Promise<void> = Promise.resolve();

  const begin = (changed: readonly string[]) => {
    current.abort(new Error('it has changed again'));
    current = new AbortController();
    const { signal } = current;
    const before = running;
    running = (async () => {
      await before;
      if (signal.aborted) return;
      await runChange(invocation, access, watched, choice, changed, signal).catch((error: unknown) => {
        if (access.signal.aborted || signal.aborted) return;
        explainError(error, config, terminal);
      });
      if (!signal.aborted) terminal.note(terminal.paintNote('dim', 'watching for changes; Ctrl-C ends'));
    })();
  };
  const all = [...watched.texts, ...(watched.folder ? [watched.folder] : [])];
  begin(watched.folder ? [watched.folder] : watched.texts.filter((path) => statSync(path).isFile()));
  for await (const changed of watchFiles(all, access.signal)) begin(changed);
  return undefined;
}

async function whatToWatch({ flags, positionals, terminal }: RunInvocation): Promise<Watched> {
  for (const path of flags.watch) {
    if (!existsSync(path)) throw new InputError(`There is no ${path} to watch. Check the path.`, 'notFound');
  }
  const folders = flags.watch.filter(holdsPattern);
  const texts = flags.watch.filter((path) => !holdsPattern(path));
  const [folder] = folders;
  if (folders.length > 1) throw new UsageError('--watch takes the folder of one pattern.');
  const named = flags.pattern ?? (folder === undefined ? positionals[0] : undefined);
  const words = flags.pattern || folder !== undefined ? positionals : positionals.slice(1);
  const pattern = named ?? (folder === undefined ? undefined : basename(resolve(folder)));
  if (pattern === undefined) throw new UsageError('Which pattern? Write: damask run <pattern> --watch <file>');
  const input = texts.length > 0 ? undefined : await readInput(words, terminal);
  return { pattern, folder, texts, input };
}

async function runChange(
  invocation: RunInvocation,
  access: ServerAccess,
  { pattern, folder, texts, input }: Watched,
  choice: Omit<RunInput, 'pattern' | 'input'>,
  changed: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { flags, terminal } = invocation;
  const ofPattern =
    folder !== undefined && changed.some((path) => path === folder || path.startsWith(join(folder, '/')));
  // A change of the pattern is tried on every text that was named as a file.
  const inputs = ofPattern ? texts.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile()) : changed;
  if (terminal.stdoutIsTerminal) await terminal.control('\x1b[H\x1b[2J\x1b[3J');
  let version = choice.version;
  if (ofPattern) {
    const published = await publishFolder(access.damask, {
      folder,
      pattern,
      message: 'Published by damask run --watch',
    });
    version = published.version;
    terminal.note(terminal.paintNote('dim', `${pattern}@${version} ${published.digest}`));
  }
  const attachments = await attachmentsOf(flags.attachment);
  const target = { ...invocation, calls: createCalls(access.damask), signal };
  const runOn = async (text: string) => {
    const run = { ...choice, pattern, version, attachments, input: text };
    await waitForModel(access, terminal, () =>
      streams(invocation) ? runStreamed(target, run) : runAtOnce(target, run),
    );
  };
  if (input !== undefined) return runOn(input);
  for (const path of inputs) {
    const text = readTextFile(path);
    if (text === undefined || signal.aborted) continue;
    if (inputs.length > 1 || texts.length > 1) terminal.note(terminal.paintNote('bold', `--- ${path}`));
    await runOn(text);
  }
}
