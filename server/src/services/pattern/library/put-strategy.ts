import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { Strategy, strategyOperations } from '@damask/contracts/strategy.ts';
import type { CallContext } from '#platform/call.ts';
import { requireMatch } from '#platform/entity-tag.ts';
import { refuseSecrets } from '../guard/refuse-secrets.ts';
import { digestStrategy } from './digest.ts';
import { changeLibrary, type LibraryParts, leaveTrace } from './library-parts.ts';
import { findStrategy, lockStrategies, putStrategies } from './strategy-store.ts';

type PutStrategy = typeof strategyOperations.putStrategy;

/** Says nothing when nothing changes. */
export async function putStrategy(
  parts: LibraryParts,
  context: CallContext,
  { strategy: name, description = '', prompt, ...given }: InputOf<PutStrategy>,
): Promise<OutputOf<PutStrategy>> {
  refuseSecrets(prompt, '/prompt');
  refuseSecrets(description, '/description');
  const digest = digestStrategy({ description, prompt });
  return changeLibrary(parts, context, async (transaction) => {
    const existing = (await lockStrategies(transaction, [name])).get(name);
    await requireMatch(given, () => findStrategy(transaction, name));
    if (existing?.digest !== digest) {
      const updated_at = new Date(parts.clock.now()).toISOString();
      const upstream = { upstream_kind: null, upstream_digest: null };
      await putStrategies(transaction, [
        { workspace: context.workspace, name, description, prompt, digest, ...upstream, updated_at },
      ]);
      await leaveTrace(parts, transaction, context, {
        action: 'putStrategy',
        subject: `strategy/${name}`,
        details: { digest },
        event: 'pattern.strategy-put',
        data: { strategy: name },
      });
    }
    return (await findStrategy(transaction, name)) as Strategy;
  });
}
