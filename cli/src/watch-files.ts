import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from './input-error.ts';

/** How often the files are looked at. A look is a `stat` a file, which works on every file system. */
const lookEveryMs = 200;
const mostFiles = 2_000;

/** Yields the files that are new or have changed, once nothing has changed for one look. Ends with the signal. */
export async function* watchFiles(paths: readonly string[], signal: AbortSignal): AsyncGenerator<readonly string[]> {
  const { setTimeout: sleep } = process.getBuiltinModule('node:timers/promises');
  let settled = look(paths);
  let last = settled;
  while (!signal.aborted) {
    await sleep(lookEveryMs, undefined, { signal });
    const now = look(paths);
    const moving = changesOf(last, now).length > 0;
    last = now;
    if (moving) continue;
    const changed = changesOf(settled, now);
    settled = now;
    if (changed.length > 0) yield changed;
  }
}

/** Path of each file to a mark of its state. Throws InputError where there is too much to watch. */
function look(paths: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const path of paths) add(path, found, true);
  return found;
}

function add(path: string, found: Map<string, string>, asked: boolean): void {
  const state = statSync(path, { throwIfNoEntry: false });
  // An editor that replaces a file takes it away for a moment.
  if (!state) return;
  if (state.isFile()) {
    found.set(path, `${state.mtimeMs} ${state.size} ${state.ino}`);
    if (found.size > mostFiles) {
      throw new InputError(`There are more than ${mostFiles} files to watch. Name a smaller folder.`);
    }
  } else if (state.isDirectory() && (asked || !path.endsWith('node_modules'))) {
    for (const entry of entriesOf(path)) {
      if (entry.name.startsWith('.') || /~$|^#.*#$/.test(entry.name) || entry.isSymbolicLink()) continue;
      add(join(path, entry.name), found, false);
    }
  }
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // It went away, or is not for us to read.
    return [];
  }
}

function changesOf(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): string[] {
  const changed = [...now].flatMap(([path, mark]) => (before.get(path) === mark ? [] : [path]));
  const gone = [...before.keys()].filter((path) => !now.has(path));
  return [...changed, ...gone].sort();
}
