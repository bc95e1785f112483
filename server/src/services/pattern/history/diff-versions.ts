import type { FileDiff, historyOperations } from '@damask/contracts/history.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { PatternVersion } from '@damask/contracts/pattern.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { inWorkspace, type LibraryParts } from '../library/library-parts.ts';
import { findPattern } from '../library/pattern-store.ts';
import { findVersion } from '../library/version-store.ts';
import { changedSettings } from './changed-settings.ts';
import { unifiedDiff } from './unified-diff.ts';

type DiffVersions = typeof historyOperations.diffVersions;

/** Characters of all diffs of an answer, and of one file's. */
const together = 1024 * 1024;
const ofOneFile = 256 * 1024;

/** The newest version against the one before it unless the caller names others. */
export async function diffVersions(
  parts: LibraryParts,
  context: CallContext,
  input: InputOf<DiffVersions>,
): Promise<OutputOf<DiffVersions>> {
  const [before, after] = await inWorkspace(parts, context, async (transaction) => {
    const pattern = await findPattern(transaction, input.pattern);
    if (!pattern) throw notFound();
    const to = input.to ?? pattern.version;
    const from = input.from ?? to - 1;
    if (from < 1) {
      throw new AppError('not_found', 'There is no version before 1. Say from, or publish another one first.', {
        pointer: '/from',
      });
    }
    return [await findVersion(transaction, pattern.id, from), await findVersion(transaction, pattern.id, to)];
  });
  if (!before || !after) throw notFound();
  return {
    pattern: input.pattern,
    from: before.version,
    to: after.version,
    files: await diffFiles(before, after),
    settings: changedSettings(before, after),
  };
}

async function diffFiles(before: PatternVersion, after: PatternVersion): Promise<FileDiff[]> {
  const [old, fresh] = [before, after].map(({ files }) => new Map(files.map(({ path, content }) => [path, content])));
  const paths = [...new Set([...(old?.keys() ?? []), ...(fresh?.keys() ?? [])])].sort();
  const diffs: FileDiff[] = [];
  let left = together;
  for (const path of paths) {
    const [one, other] = [old?.get(path), fresh?.get(path)];
    if (one === other) continue;
    const diff = await unifiedDiff(path, one, other, Math.min(left, ofOneFile));
    left -= diff.diff.length;
    diffs.push(diff);
  }
  return diffs;
}
