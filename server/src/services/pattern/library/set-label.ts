import type { PatternWarning } from '@damask/contracts/guard.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { patternOperations } from '@damask/contracts/pattern.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { requireMatch } from '#platform/entity-tag.ts';
import { findWarnings } from '../guard/find-warnings.ts';
import { noteLabelMove, putLabel, readLabel } from './label-store.ts';
import { changeLibrary, type LibraryParts, labelMove, leaveTrace } from './library-parts.ts';
import { lockPattern, readPatternById } from './pattern-store.ts';
import { findVersion } from './version-store.ts';

/** What runs for everybody is looked at more closely. */
const production = 'production';

type SetLabel = typeof patternOperations.setLabel;

export async function setLabel(
  parts: LibraryParts,
  context: CallContext,
  { pattern: name, label, version, accept = [], ...given }: InputOf<SetLabel>,
): Promise<OutputOf<SetLabel>> {
  return changeLibrary(parts, context, async (transaction) => {
    const pattern = await lockPattern(transaction, name, context);
    // Numbers have no gaps, so the newest one tells which there are.
    if (!pattern || version > pattern.latest) throw notFound();
    await requireMatch(given, () => readPatternById(transaction, pattern.id));
    const before = await readLabel(transaction, pattern.id, label);
    if (before === version) return readPatternById(transaction, pattern.id);
    if (label === production) await requireAccepted(transaction, pattern.id, version, accept);
    const row = { workspace: context.workspace, pattern: pattern.id, label, number: version };
    const at = new Date(parts.clock.now());
    await parts.trail.look(transaction, `pattern/${name}`);
    await putLabel(transaction, row, at);
    await noteLabelMove(transaction, labelMove(parts, context, { ...row, before: before ?? null, after: version }), at);
    await leaveTrace(parts, transaction, context, {
      action: 'setLabel',
      subject: `pattern/${name}`,
      details: { label, version, before: before ?? null, ...(accept.length > 0 ? { accepted: accept } : {}) },
      event: 'pattern.label-set',
      data: { pattern: name, label, version },
    });
    return readPatternById(transaction, pattern.id);
  });
}

/** Errors: `policy_refused` while a warning of the version is not accepted by whoever puts it into production. */
async function requireAccepted(
  transaction: Transaction,
  pattern: string,
  number: number,
  accept: readonly PatternWarning['code'][],
): Promise<void> {
  const version = await findVersion(transaction, pattern, number);
  const open = version && findWarnings(version).find(({ code }) => !accept.includes(code));
  if (!open) return;
  throw new AppError(
    'policy_refused',
    `${open.file} line ${open.line} ${open.detail}. To take it as it is, say --accept ${open.code} (accept: ["${open.code}"]).`,
    { pointer: '/accept' },
  );
}
