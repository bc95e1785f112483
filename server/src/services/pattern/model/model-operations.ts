import type { egressOperations } from '@damask/contracts/egress.ts';
import type { modelOperations } from '@damask/contracts/model.ts';
import { notFound } from '#platform/app-error.ts';
import type { Implementation } from '#platform/call.ts';
import { bumpTopic } from '#platform/topic.ts';
import { createEgressOperations } from './egress-operations.ts';
import { changeProviders, fromEnvironment, type ModelParts, providersTopic, toProvider } from './model-parts.ts';
import { putProvider } from './put-provider.ts';
import { readProviderHealth } from './read-provider-health.ts';
import { deleteProvider, listProviders, readProvider } from './store.ts';
import { testProvider } from './test-provider.ts';

export function createModelOperations(
  parts: ModelParts,
): Implementation<typeof modelOperations & typeof egressOperations> {
  const { database, router, trail } = parts;
  return {
    ...createEgressOperations(parts.egress),
    listModels: async (context) => ({ items: router.list(context.workspace) }),

    async listProviders(context) {
      const scope = { role: 'pattern', workspace: context.workspace };
      const rows = await database.transaction(scope, listProviders);
      return { items: [...rows.map(toProvider), ...parts.environment().map(fromEnvironment)].slice(0, 200) };
    },

    readProviderHealth: async (context) => ({ items: readProviderHealth(parts, context.workspace) }),
    putProvider: (context, input) => putProvider(parts, context, input),
    testProvider: (context, input) => testProvider(parts, context, input),

    deleteProvider: (context, { provider: name }) =>
      changeProviders(parts, context.workspace, async (transaction) => {
        const row = await readProvider(transaction, name);
        if (!row) throw notFound();
        await deleteProvider(transaction, name);
        await trail.leave(transaction, context, {
          action: 'deleteProvider',
          subject: `provider/${name}`,
          event: 'pattern.provider-deleted',
          data: { provider: name },
        });
        await bumpTopic(transaction, providersTopic);
        return toProvider(row);
      }),
  };
}
