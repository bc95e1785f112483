import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { strategyOperations } from '@damask/contracts/strategy.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { requireMatch } from '#platform/entity-tag.ts';
import { changeLibrary, type LibraryParts, leaveTrace } from './library-parts.ts';
import { buryStrategy, findStrategy, lockStrategies } from './strategy-store.ts';

type DeleteStrategy = typeof strategyOperations.deleteStrategy;

/** Answers the strategy as it was. */
export async function deleteStrategy(
  parts: LibraryParts,
  context: CallContext,
  { strategy: name, ...given }: InputOf<DeleteStrategy>,
): Promise<OutputOf<DeleteStrategy>> {
  return changeLibrary(parts, context, async (transaction) => {
    await lockStrategies(transaction, [name]);
    const strategy = await findStrategy(transaction, name);
    if (strategy) await requireMatch(given, async () => strategy);
    const buried = strategy && (await buryStrategy(transaction, name, new Date(parts.clock.now())));
    if (!strategy || !buried) throw notFound();
    await leaveTrace(parts, transaction, context, {
      action: 'deleteStrategy',
      subject: `strategy/${name}`,
      event: 'pattern.strategy-deleted',
      data: { strategy: name },
    });
    return strategy;
  });
}
