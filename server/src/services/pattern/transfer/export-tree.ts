import { setImmediate as letOthersRun } from 'node:timers/promises';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { PatternFile } from '@damask/contracts/pattern.ts';
import type { transferOperations } from '@damask/contracts/transfer.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { knownOutside } from '../library/known-outside.ts';
import { inWorkspace, type LibraryParts } from '../library/library-parts.ts';
import { listStrategies } from '../library/strategy-store.ts';
import { type ExportedPattern, listExported, readTexts } from './export-store.ts';

type ExportTree = typeof transferOperations.exportTree;
type Page = OutputOf<ExportTree>;
/** What the next page begins with, and the name before it there. */
type Position = readonly [part: 'patterns' | 'strategies' | 'descriptions', after: string];

// More would hold the event loop while it is written as JSON. A single pattern may have up to 4 MiB.
const bytesAtOnce = 512 * 1024;
const patternsAtOnce = 50;

/**
 * The newest versions in Fabric's tree, page by page: patterns byte for byte as they came, then strategies, then what Fabric keeps
 * about patterns outside their folders. With names: only those patterns.
 */
export async function exportTree(
  parts: LibraryParts,
  context: CallContext,
  { pattern, limit = 50, cursor }: InputOf<ExportTree>,
): Promise<Page> {
  const { cursors } = parts;
  const names = pattern ?? null;
  const withStrategies = names === null && context.permissions.has('strategy:read');
  const list = { list: 'exportTree', workspace: context.workspace, filter: JSON.stringify(names) };
  const position = (cursor === undefined ? ['patterns', ''] : cursors.decode(list, cursor)) as unknown as Position;
  const { items, next } = await inWorkspace(parts, context, async (transaction): Promise<Found> => {
    if (cursor === undefined && names) await refuseUnknown(transaction, names);
    const [part, after] = position;
    if (part === 'patterns') {
      const page = await patternsPage(transaction, { after, names, limit });
      return { items: page.items, next: page.next ?? [withStrategies ? 'strategies' : 'descriptions', ''] };
    }
    if (part === 'strategies' && withStrategies) return strategiesPage(transaction, after, limit);
    return { items: await descriptions(transaction, names), next: null };
  });
  return next === null ? { items } : { items, next: cursors.encode(list, [...next]) };
}

async function refuseUnknown(transaction: Transaction, names: readonly string[]): Promise<void> {
  const found = await listExported(transaction, { after: null, names, limit: names.length });
  if (found.length < new Set(names).size) throw notFound();
}

interface Found {
  readonly items: PatternFile[];
  readonly next: Position | null;
}

async function patternsPage(
  transaction: Transaction,
  { after, names, limit }: { after: string; names: readonly string[] | null; limit: number },
): Promise<Found> {
  const found = await listExported(transaction, { after, names, limit: limit + 1 });
  const taken: ExportedPattern[] = [];
  let bytes = 0;
  for (const pattern of found.slice(0, limit)) {
    bytes += pattern.bytes;
    if (taken.length > 0 && bytes > bytesAtOnce) break;
    taken.push(pattern);
  }
  const hashes = taken.flatMap(({ files }) => files.map(({ hash }) => hash));
  const texts = await readTexts(transaction, hashes);
  const items = taken.flatMap(({ name, files }) =>
    files.map(({ path, hash }) => ({ path: `data/patterns/${name}/${path}`, content: texts.get(hash) ?? '' })),
  );
  const last = taken.at(-1)?.name ?? '';
  if (taken.length < found.length) return { items, next: ['patterns', last] };
  return { items, next: null };
}

async function strategiesPage(transaction: Transaction, after: string, limit: number): Promise<Found> {
  const found = await listStrategies(transaction, { after: after || null, limit: limit + 1 });
  const taken = found.slice(0, limit);
  const items = taken.map(({ name, description, prompt }) => ({
    path: `data/strategies/${name}.json`,
    content: `${JSON.stringify({ description, prompt }, null, 4)}\n`,
  }));
  const next: Position =
    found.length > limit ? ['strategies', taken.at(-1)?.name ?? ''] : (['descriptions', ''] as const);
  return { items, next };
}

/** Fabric's file of descriptions and tags, with what no file of a pattern says; none when there is nothing to say. */
async function descriptions(transaction: Transaction, names: readonly string[] | null): Promise<PatternFile[]> {
  const patterns: object[] = [];
  let after: string | null = null;
  for (;;) {
    const found: ExportedPattern[] = await listExported(transaction, { after, names, limit: patternsAtOnce });
    const read = ['system.md', 'pattern.yaml'];
    const hashes = found.flatMap(({ files }) =>
      files.filter(({ path }) => read.includes(path)).map(({ hash }) => hash),
    );
    const texts = await readTexts(transaction, hashes);
    for (const { name, description, tags, files } of found) {
      const contents = files.map(({ path, hash }) => ({ path, content: texts.get(hash) ?? '' }));
      const about = knownOutside({ description, tags: [...tags], files: contents });
      if (about.description === undefined && (about.tags ?? []).length === 0) continue;
      patterns.push({ patternName: name, description: about.description ?? '', tags: about.tags ?? [] });
    }
    await letOthersRun();
    after = found.at(-1)?.name ?? null;
    if (found.length < patternsAtOnce) break;
  }
  if (patterns.length === 0) return [];
  const path = 'scripts/pattern_descriptions/pattern_descriptions.json';
  return [{ path, content: JSON.stringify({ patterns }, null, 2) }];
}
