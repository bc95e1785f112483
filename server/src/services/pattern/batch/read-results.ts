import { setImmediate as letOthersRun } from 'node:timers/promises';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { inWorkspace } from '../library/library-parts.ts';
import type { Payload } from '../run/payloads.ts';
import { bareJson } from '../run/structured-output.ts';
import { type BatchParts, chunkPlace } from './batch-parts.ts';
import { readBatch } from './batch-store.ts';
import { readLineChunk } from './line-chunk.ts';
import type { LineFault } from './line-fault.ts';
import {
  type LineRow,
  listLinesAfter,
  type RunEndRow,
  readChunks,
  readEnds,
  readLines,
  readPayloads,
} from './line-store.ts';
import { readRejected } from './read-rejected.ts';
import { factsOf, type ResultLine } from './result-line.ts';

/** Opens the texts of a run; null where their subject was erased. */
export type OpenTexts = (row: { workspace: string; id: string }, sealed: Buffer) => Promise<Payload | null>;

const linesAtOnce = 500;
/** Lines whose texts are opened before others run. */
const textsAtOnce = 100;
const rejectedAtOnce = 500;
/** Sealed bytes that are read at once. */
const bytesAtOnce = 8 * 1024 * 1024;
const lookEvery = 500;
const lastLine = 2_147_483_647;

/** What is known of the lines after one place, up to the first that has not ended. */
interface Page {
  readonly lines: readonly LineRow[];
  readonly rejected: readonly LineFault[];
  /** Lines that were never begun, of a batch that has ended. */
  readonly left: readonly number[];
  readonly ends: ReadonlyMap<string, RunEndRow>;
  /** Runs whose answers other lines share. */
  readonly originals: ReadonlyMap<number, string | null>;
  /** All ended lines up to here are in it. */
  readonly until: number;
  readonly over: boolean;
}

/** The ended lines after a place in input order. `wait`: goes on until the batch has ended or the caller leaves. */
export async function* readResults(
  parts: BatchParts & { readonly openTexts: OpenTexts },
  context: CallContext,
  batch: string,
  { after, wait }: { readonly after: number; readonly wait: boolean },
): AsyncGenerator<ResultLine> {
  const { workspace } = context;
  await parts.vault.ready(workspace);
  for (let place = after; !context.signal.aborted; ) {
    const from = place;
    const page = await inWorkspace(parts, context, (transaction) =>
      readPage(parts, transaction, { workspace, batch }, from),
    );
    let told = 0;
    for await (const line of toResults(parts, context, page)) {
      told += 1;
      yield line;
    }
    const moved = page.until > place;
    place = Math.max(place, page.until);
    if (told > 0 || (moved && !page.over)) continue;
    if (page.over || !wait) return;
    await parts.clock.sleep(lookEvery);
  }
}

async function readPage(
  parts: BatchParts,
  transaction: Transaction,
  where: { readonly workspace: string; readonly batch: string },
  after: number,
): Promise<Page> {
  const { batch } = where;
  const row = await readBatch(transaction, batch);
  if (!row) throw notFound();
  const over = row.finished_at !== null;
  const begun = await listLinesAfter(transaction, batch, { after, limit: linesAtOnce });
  const open = over ? -1 : begun.findIndex(({ state }) => state === 'open' || state === 'again');
  const ended = open < 0 ? begun : begun.slice(0, open);
  const whole = begun.length === linesAtOnce;
  const lastBegun = begun.at(-1)?.line ?? after;
  let until = open >= 0 ? (begun[open] as LineRow).line - 1 : whole ? lastBegun : Math.max(after, row.next_line);
  const left: number[] = [];
  if (over && !whole) {
    const [chunk] = await readChunks(transaction, 'batch_chunk', batch, { after: until, limit: 1 });
    if (chunk) {
      const bytes = await parts.vault.open(
        where.workspace,
        chunkPlace('batch_chunk', batch, chunk.first),
        chunk.content,
      );
      left.push(...readLineChunk(bytes).flatMap(({ line }) => (line > until ? line : [])));
      until = chunk.last;
    } else until = lastLine;
  }
  const faults = await readRejected(parts, transaction, where, { after, most: rejectedAtOnce });
  if (faults.length === rejectedAtOnce) until = Math.min(until, (faults.at(-1) as LineFault).line);
  const lines = ended.filter(({ line }) => line <= until);
  const firsts = lines.flatMap(({ same_as }) => same_as ?? []);
  const originals = new Map((await readLines(transaction, batch, firsts)).map(({ line, run }) => [line, run]));
  const runs = [...lines.map(({ run }) => run), ...originals.values()].filter((run) => run !== null);
  return {
    lines,
    rejected: faults.filter(({ line }) => line <= until),
    left: left.filter((line) => line <= until),
    ends: await readEnds(transaction, runs),
    originals,
    until,
    over,
  };
}

async function* toResults(
  parts: BatchParts & { readonly openTexts: OpenTexts },
  context: CallContext,
  page: Page,
): AsyncGenerator<ResultLine> {
  const others: ResultLine[] = [...page.rejected.map(toRejected), ...page.left.map(toLeft)];
  others.sort((one, other) => one.line - other.line);
  let at = 0;
  for (const group of groupsOf(page)) {
    const texts = await readTexts(parts, context, group.runs);
    for (const line of group.lines) {
      while (at < others.length && (others[at] as ResultLine).line < line.line) yield others[at++] as ResultLine;
      yield toResult(page, line, texts);
    }
    await letOthersRun();
  }
  yield* others.slice(at);
}

/** Lines whose texts are read together. */
function* groupsOf({ lines, ends, originals }: Page): Generator<{ lines: LineRow[]; runs: string[] }> {
  let group: LineRow[] = [];
  let runs = new Set<string>();
  let bytes = 0;
  for (const line of lines) {
    const run = line.run ?? originals.get(line.same_as ?? 0) ?? null;
    const size = run === null ? 0 : (ends.get(run)?.bytes ?? 0);
    if (group.length > 0 && (bytes + size > bytesAtOnce || group.length >= textsAtOnce)) {
      yield { lines: group, runs: [...runs] };
      group = [];
      runs = new Set();
      bytes = 0;
    }
    group.push(line);
    if (run !== null) runs.add(run);
    bytes += size;
  }
  if (group.length > 0) yield { lines: group, runs: [...runs] };
}

async function readTexts(
  parts: BatchParts & { readonly openTexts: OpenTexts },
  context: CallContext,
  runs: readonly string[],
): Promise<Map<string, Payload>> {
  const sealed = await inWorkspace(parts, context, (transaction) => readPayloads(transaction, runs));
  const texts = new Map<string, Payload>();
  for (const [id, bytes] of sealed) {
    const opened = await parts.openTexts({ workspace: context.workspace, id }, bytes);
    if (opened) texts.set(id, opened);
  }
  return texts;
}

function toResult({ ends, originals }: Page, line: LineRow, texts: ReadonlyMap<string, Payload>): ResultLine {
  const shared = line.same_as !== null;
  const run = line.run ?? originals.get(line.same_as ?? 0) ?? null;
  const end = run === null ? undefined : ends.get(run);
  const text = run === null ? undefined : texts.get(run);
  const state = line.state === 'open' || line.state === 'again' ? 'cancelled' : line.state;
  return {
    line: line.line,
    status: state,
    output: text?.output ?? null,
    ...(text?.json ? { data: JSON.parse(bareJson(text.output)) as unknown } : {}),
    run,
    ...(shared ? { same_as: line.same_as as number } : {}),
    ...(end?.texts ? { texts: end.texts } : {}),
    ...factsOf(end, shared),
    metadata: shared ? {} : (end?.metadata ?? {}),
  };
}

const nothing = {
  output: null,
  run: null,
  model: null,
  input_tokens: null,
  output_tokens: null,
  cost_micros: 0,
  metadata: {},
};

function toRejected({ line, column, code, detail }: LineFault): ResultLine {
  const where = column === null ? '' : `Column ${column}: `;
  return { line, ...nothing, status: 'rejected', error: { code, detail: `${where}${detail}` } };
}

function toLeft(line: number): ResultLine {
  return { line, ...nothing, status: 'cancelled', error: null };
}
