import type { modelOperations, Provider } from '@damask/contracts/model.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { Implementation } from '#platform/call.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { Egress } from '#platform/egress/egress.ts';
import type { Log } from '#platform/log.ts';
import { bumpTopic } from '#platform/topic.ts';
import type { Trail } from '#platform/trail.ts';
import type { Vault } from '#platform/vault.ts';
import type { EnvironmentProvider } from './environment-providers.ts';
import { localProvider, type ModelRouter, providerKeyPlace } from './model-router.ts';
import { deleteProvider, listProviders, type ProviderRow, readProvider, saveProvider } from './store.ts';

export const providersTopic = 'pattern.providers';

export interface ModelParts {
  readonly database: Database;
  readonly router: ModelRouter;
  readonly environment: () => readonly EnvironmentProvider[];
  readonly egress: Egress;
  readonly vault: Vault;
  readonly trail: Trail;
  readonly log: Log;
  /** Brings this process's own table up to date, so that a caller can run what it has just added. */
  readonly afterChange: () => Promise<void>;
}

export function createModelOperations(parts: ModelParts): Implementation<typeof modelOperations> {
  const { database, router, egress, vault, trail } = parts;
  const scope = (workspace: string) => ({ role: 'pattern', workspace });
  const change = async (workspace: string, work: (transaction: Transaction) => Promise<Provider>) => {
    const provider = await database.transaction(scope(workspace), work);
    await parts
      .afterChange()
      .catch((error: unknown) => parts.log.warn('The table of providers follows a change later', { error }));
    return provider;
  };
  return {
    listModels: async (context) => ({ items: router.list(context.workspace) }),

    async listProviders(context) {
      const rows = await database.transaction(scope(context.workspace), listProviders);
      return { items: [...rows.map(toProvider), ...parts.environment().map(fromEnvironment)].slice(0, 200) };
    },

    async putProvider(context, { provider: name, base_url, api_key, models }) {
      if (name === localProvider) {
        throw new AppError('policy_refused', 'The name local belongs to the model on this machine. Choose another.', {
          pointer: '/provider',
        });
      }
      const url = readBaseUrl(base_url);
      egress.check(url);
      checkKey(api_key);
      await vault.ready(context.workspace);
      const sealed =
        api_key === undefined
          ? null
          : await vault.seal(context.workspace, providerKeyPlace(name), Buffer.from(api_key));
      return change(context.workspace, async (transaction) => {
        const before = await readProvider(transaction, name);
        refuseMovedKey(before, url, api_key);
        const saved = await saveProvider(transaction, {
          workspace: context.workspace,
          name,
          base_url: url,
          api_key: sealed ?? before?.api_key ?? null,
          models: models ?? before?.models ?? [],
        });
        await trail.leave(transaction, context, {
          action: 'putProvider',
          subject: `provider/${name}`,
          details: { base_url: url, key_changed: sealed !== null },
          event: 'pattern.provider-put',
          data: { provider: name },
        });
        await bumpTopic(transaction, providersTopic);
        return toProvider(saved);
      });
    },

    deleteProvider: (context, { provider: name }) =>
      change(context.workspace, async (transaction) => {
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

function readBaseUrl(text: string): string {
  if (!URL.canParse(text)) {
    throw new AppError('invalid_request', 'This is not an address. Give one such as https://api.example.com/v1.', {
      pointer: '/base_url',
    });
  }
  const url = new URL(text);
  if (url.search !== '' || url.hash !== '') {
    throw new AppError('invalid_request', 'A base address has no ? and no #. Leave them out.', {
      pointer: '/base_url',
    });
  }
  return url.href.replace(/\/+$/, '');
}

// It travels in a header, where a line break would begin another one.
function checkKey(key: string | undefined) {
  if (key === undefined || /^[\x21-\x7e]+$/.test(key)) return;
  throw new AppError('invalid_request', 'A key has no spaces, line breaks or letters beyond ASCII. Copy it again.', {
    pointer: '/api_key',
  });
}

// A stored key must never be sent to a new address by someone who does not know it.
function refuseMovedKey(before: ProviderRow | undefined, url: string, apiKey: string | undefined) {
  if (!before?.api_key || apiKey !== undefined || before.base_url === url) return;
  throw new AppError('secret_required', 'The key belongs to the old address. Enter it again to change the address.', {
    pointer: '/api_key',
  });
}

function toProvider(row: ProviderRow): Provider {
  return {
    name: row.name,
    origin: 'workspace',
    base_url: row.base_url,
    has_key: row.api_key !== null,
    models: [...row.models],
    updated_at: row.updated_at.toISOString(),
  };
}

function fromEnvironment(provider: EnvironmentProvider): Provider {
  return {
    name: provider.name,
    origin: 'environment',
    base_url: provider.baseUrl,
    has_key: provider.apiKey !== null,
    models: [...provider.models],
    updated_at: null,
  };
}
