import type { Provider, ProviderHealth } from '@damask/sdk';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatDuration } from '../figures.ts';
import { printList } from '../print-list.ts';
import type { Cell } from '../table.ts';

export const providers = defineCommand({
  name: 'providers',
  usage: '[flags]',
  about:
    'Lists the providers of models, with how they behaved in the last minute as the answering server saw it. STATE is\n' +
    'open while a provider that failed too often is left alone, and hidden where the workspace has its own in its place.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: ['damask providers', 'damask providers add anthropic', 'damask providers test anthropic'],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    const [{ items }, { items: health }] = await Promise.all([damask.providers.list(), damask.providers.health()]);
    const rows = items.map((provider) => ({
      ...provider,
      health: health.find(({ provider: name }) => name === provider.name) ?? null,
    }));
    await printList(terminal, flags.json, rows, {
      columns: [
        { title: 'PROVIDER', least: 8 },
        { title: 'PROTOCOL', drop: 3 },
        { title: 'FROM', drop: 2 },
        { title: 'KEY' },
        { title: 'MODELS', right: true, drop: 4 },
        { title: 'STATE' },
        { title: 'CALLS', right: true, drop: 5 },
        { title: 'FAILED', right: true, drop: 5 },
        { title: 'RETRIES', right: true, drop: 1 },
        { title: 'P50', right: true, drop: 1 },
        { title: 'LAST ERROR', least: 10, drop: 0 },
      ],
      row: (provider) => [
        { text: provider.name, style: 'cyan' },
        provider.protocol,
        provider.origin,
        keyOf(provider, provider.health),
        String(Math.max(provider.models.length, provider.offered?.length ?? 0)),
        isHidden(provider, rows) ? { text: 'hidden', style: 'yellow' } : stateOf(provider.health),
        String(provider.health?.calls ?? 0),
        shareOf(provider.health),
        String(provider.health?.retries ?? 0),
        formatDuration(provider.health?.p50_ms ?? null),
        provider.health?.last_error?.detail ?? '',
      ],
      empty: 'There is no provider yet. Add one: damask providers add anthropic',
    });
  },
});

/** A provider of the workspace takes the place of the environment's, its key too. */
function isHidden({ name, origin }: Provider, all: readonly Provider[]): boolean {
  return origin !== 'workspace' && all.some((other) => other.name === name && other.origin === 'workspace');
}

function keyOf(provider: Provider, health: ProviderHealth | null): Cell {
  if (!provider.has_key) return '-';
  return health?.key_refused ? { text: 'refused', style: 'red' } : 'yes';
}

function stateOf(health: ProviderHealth | null): Cell {
  if (!health || health.state === 'closed') return { text: 'ok', style: 'green' };
  const [first, ...others] = health.models;
  const which = first === undefined ? '' : others.length === 0 ? ` ${first.model}` : ` ${others.length + 1} models`;
  if (health.state === 'half-open') return { text: `trying${which}`, style: 'yellow' };
  return { text: `open${which} ${formatDuration(health.retry_after_ms)}`, style: 'red' };
}

function shareOf(health: ProviderHealth | null): string {
  return health?.failure_share == null ? '-' : `${Math.round(health.failure_share * 100)}%`;
}
