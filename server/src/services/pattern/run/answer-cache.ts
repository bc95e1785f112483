import type { ToolCall } from '@damask/contracts/message.ts';
import type { Run } from '@damask/contracts/run.ts';
import type { Clock } from '#platform/clock.ts';

/** An answer that may be given again. */
export interface CachedAnswer {
  readonly run: string;
  readonly model: string;
  readonly output: string;
  readonly stopReason: string;
  readonly toolCalls: readonly ToolCall[];
}

export type AnsweredRun = Pick<Run, 'id' | 'status' | 'model' | 'output' | 'stop_reason' | 'tool_calls'>;

/** Answers of this process by what was asked, each workspace by itself. */
export interface AnswerCache {
  find(workspace: string, key: string): CachedAnswer | undefined;
  /** Keeps a successful answer for `seconds`; nothing else and nothing large. */
  put(workspace: string, key: string, run: AnsweredRun, seconds: number): void;
  /** Drops all answers, or those of a workspace. */
  forget(workspace?: string): void;
}

interface Entry {
  readonly answer: CachedAnswer;
  readonly bytes: number;
  /** Of the clock's `monotonic`. */
  readonly until: number;
}

/** The order of a map is the order of use: the first entry goes first. */
interface Shelf {
  readonly entries: Map<string, Entry>;
  bytes: number;
}

export interface AnswerCacheLimits {
  readonly entries: number;
  readonly bytes: number;
  /** Of all workspaces together. */
  readonly totalBytes: number;
}

const megabyte = 1024 * 1024;
const standardLimits: AnswerCacheLimits = { entries: 2_000, bytes: 16 * megabyte, totalBytes: 128 * megabyte };
const largestAnswer = megabyte;
/** What an entry costs beside its text. */
const entryBytes = 400;

export function createAnswerCache(clock: Clock, limits: AnswerCacheLimits = standardLimits): AnswerCache {
  const shelves = new Map<string, Shelf>();
  let total = 0;

  const drop = (workspace: string, shelf: Shelf, key: string) => {
    const entry = shelf.entries.get(key);
    if (!entry) return;
    shelf.entries.delete(key);
    shelf.bytes -= entry.bytes;
    total -= entry.bytes;
    if (shelf.entries.size === 0) shelves.delete(workspace);
  };
  const dropFirst = (workspace: string, shelf: Shelf) =>
    drop(workspace, shelf, shelf.entries.keys().next().value ?? '');
  const touch = <Value>(map: Map<string, Value>, key: string, value: Value) => {
    map.delete(key);
    map.set(key, value);
  };

  return {
    find(workspace, key) {
      const shelf = shelves.get(workspace);
      const entry = shelf?.entries.get(key);
      if (!shelf || !entry) return undefined;
      if (entry.until <= clock.monotonic()) {
        drop(workspace, shelf, key);
        return undefined;
      }
      touch(shelves, workspace, shelf);
      touch(shelf.entries, key, entry);
      return entry.answer;
    },
    put(workspace, key, run, seconds) {
      if (run.status !== 'succeeded' || run.output === null) return;
      const { id, model, output, stop_reason, tool_calls: toolCalls = [] } = run;
      const bytes = entryBytes + 2 * output.length + 2 * JSON.stringify(toolCalls).length;
      if (bytes > largestAnswer) return;
      const known = shelves.get(workspace);
      if (known) drop(workspace, known, key);
      const shelf = shelves.get(workspace) ?? { entries: new Map<string, Entry>(), bytes: 0 };
      const answer = { run: id, model, output, stopReason: stop_reason ?? 'stop', toolCalls };
      shelf.entries.set(key, { answer, bytes, until: clock.monotonic() + seconds * 1000 });
      shelf.bytes += bytes;
      total += bytes;
      touch(shelves, workspace, shelf);
      while (shelf.entries.size > limits.entries || shelf.bytes > limits.bytes) dropFirst(workspace, shelf);
      while (total > limits.totalBytes) {
        const [first] = shelves;
        if (!first) break;
        dropFirst(...first);
      }
    },
    forget(workspace) {
      for (const one of workspace === undefined ? [...shelves.keys()] : [workspace]) {
        total -= shelves.get(one)?.bytes ?? 0;
        shelves.delete(one);
      }
    },
  };
}
