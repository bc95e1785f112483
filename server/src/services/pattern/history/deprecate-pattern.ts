import type { historyOperations } from '@damask/contracts/history.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { Deprecation } from '@damask/contracts/pattern-settings.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { changeLibrary, type LibraryParts, leaveTrace } from '../library/library-parts.ts';
import { findPattern, lockPattern, markDeprecated, readPatternById } from '../library/pattern-store.ts';

type DeprecatePattern = typeof historyOperations.deprecatePattern;

const stepsFollowed = 20;

/** Runs go on; whoever runs or reads the pattern is told. The same again changes nothing. */
export async function deprecatePattern(
  parts: LibraryParts,
  context: CallContext,
  { pattern: name, ...said }: InputOf<DeprecatePattern>,
): Promise<OutputOf<DeprecatePattern>> {
  const successor = said.successor ?? null;
  const message = said.message ?? null;
  return changeLibrary(parts, context, async (transaction) => {
    const pattern = await lockPattern(transaction, name, context);
    if (!pattern) throw notFound();
    if (successor !== null) await checkSuccessor(transaction, name, successor);
    const { deprecated } = await readPatternById(transaction, pattern.id);
    if (deprecated?.successor === successor && deprecated.message === message) {
      return readPatternById(transaction, pattern.id);
    }
    const at = new Date(parts.clock.now());
    const now: Deprecation = { successor, message, at: at.toISOString() };
    await parts.trail.look(transaction, `pattern/${name}`);
    await markDeprecated(transaction, pattern.id, now, at);
    await leaveTrace(parts, transaction, context, {
      action: 'deprecatePattern',
      subject: `pattern/${name}`,
      details: { successor },
      event: 'pattern.pattern-deprecated',
      data: { pattern: name, successor },
    });
    return readPatternById(transaction, pattern.id);
  });
}

/** A successor must be there, and whoever follows one successor after the other must not come back. */
async function checkSuccessor(transaction: Transaction, name: string, successor: string): Promise<void> {
  const path = [name];
  for (let next: string | null = successor; next !== null && path.length <= stepsFollowed; ) {
    if (path.includes(next)) throw refusal(`leads back: ${[...path, next].join(' → ')}. Name another successor.`);
    const found = await findPattern(transaction, next);
    if (!found && next === successor) throw refusal('is not there. `damask patterns` lists the patterns.');
    path.push(next);
    next = found?.deprecated?.successor ?? null;
  }
}

function refusal(detail: string): AppError {
  return new AppError('invalid_request', `The successor ${detail}`, { pointer: '/successor' });
}
