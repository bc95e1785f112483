import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { strategyOperations } from '@damask/contracts/strategy.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { inWorkspace, type LibraryParts } from './library-parts.ts';
import { findStrategy } from './strategy-store.ts';

type ReadStrategy = typeof strategyOperations.readStrategy;

export async function readStrategy(
  parts: LibraryParts,
  context: CallContext,
  input: InputOf<ReadStrategy>,
): Promise<OutputOf<ReadStrategy>> {
  const strategy = await inWorkspace(parts, context, (transaction) => findStrategy(transaction, input.strategy));
  if (!strategy) throw notFound();
  return strategy;
}
