import { parentPort } from 'node:worker_threads';
import type { PatternFile } from '@damask/contracts/pattern.ts';
import { toAppError } from '#platform/app-error.ts';
import { closeOtherWays } from '#platform/egress/close-other-ways.ts';
import { toWireError } from '#platform/rpc/wire.ts';
import type { GitSource } from './git-source.ts';
import { createGitTransport } from './git-transport.ts';
import { openArchive } from './open-archive.ts';
import { type ImportPlan, planImport } from './plan-import.ts';
import type { FromPlanner, PlanGroup, ToPlanner } from './plan-messages.ts';
import { selectFiles } from './select-files.ts';

closeOtherWays();

const port = parentPort;
if (port === null) throw new Error('plan-worker.ts is started as a worker thread only');

const say = (message: FromPlanner) => port.postMessage(message);
const newTransport = () => createGitTransport((call, request) => say({ call, request }));
const charactersAtOnce = 64 * 1024;
const rowsAtOnce = 500;

let transport = newTransport();
let started: Extract<ToPlanner, { start: string }> | undefined;
let files: PatternFile[] = [];
let pieces: Uint8Array[] = [];
let groups: Iterator<PlanGroup> | undefined;
let ahead: IteratorResult<PlanGroup> | undefined;

port.on('message', (message: ToPlanner) => {
  if ('start' in message) {
    // The thread may have read another import before.
    started = message;
    files = [];
    pieces = [];
    transport = newTransport();
    if (message.start === 'git') begin(planGit(message.source));
  } else if ('files' in message) files.push(...message.files);
  else if ('bytes' in message) pieces.push(message.bytes);
  else if ('end' in message) begin(planWhole());
  else if ('next' in message) sendNext();
  else transport.hear(message);
});

function begin(work: Promise<ImportPlan & { readonly commit?: string }>): void {
  work.then(
    (plan) => {
      groups = cut(plan);
      ahead = groups.next();
      sendNext();
    },
    (error: unknown) => {
      const { cause } = toAppError(error);
      say({ failed: toWireError(error), why: cause instanceof Error ? (cause.stack ?? cause.message) : null });
    },
  );
}

async function planWhole(): Promise<ImportPlan> {
  if (started?.start === 'files') return planImport(files, started.origin);
  if (started?.start !== 'archive') throw new Error('The thread was told to end before it was told to start');
  const bytes = Buffer.concat(pieces);
  const selection = await selectFiles(openArchive(bytes), started.within);
  return planSelected(selection, started.name);
}

async function planGit(source: GitSource): Promise<ImportPlan & { readonly commit: string }> {
  // Only now: git's library is large, and most imports do without.
  const { fetchCommit } = await import('./git-source.ts');
  const { commit, entries, hashes } = await fetchCommit(source, transport.http);
  const { prefix, ...selection } = await selectFiles(entries, source.path);
  const name = source.path?.split('/').filter(Boolean).at(-1) ?? new URL(source.url).pathname.replace(/\.git\/*$/, '');
  const plan = await planSelected(selection, name);
  const patterns = plan.patterns.map((pattern) => ({ ...pattern, blob: hashes.get(prefix + pattern.system) ?? null }));
  return { ...plan, patterns, commit };
}

async function planSelected(selection: Pick<ImportPlan, 'ignored'> & { files: readonly PatternFile[] }, name: string) {
  const plan = await planImport(selection.files, name, () => '');
  return { ...plan, ignored: [...selection.ignored, ...plan.ignored] };
}

function sendNext(): void {
  const now = ahead;
  ahead = groups?.next();
  say({ group: now?.value ?? {}, last: ahead?.done !== false });
}

function* cut({ patterns, strategies, ignored, commit }: ImportPlan & { commit?: string }): Generator<PlanGroup> {
  yield { strategies, ...(commit !== undefined && { commit }) };
  for (let at = 0; at < ignored.length; at += rowsAtOnce) yield { ignored: ignored.slice(at, at + rowsAtOnce) };
  let group: ImportPlan['patterns'][number][] = [];
  let characters = 0;
  for (const pattern of patterns) {
    group.push(pattern);
    for (const file of pattern.content.files) characters += 200 + file.content.length;
    if (characters < charactersAtOnce) continue;
    yield { patterns: group };
    group = [];
    characters = 0;
  }
  yield { patterns: group };
}
