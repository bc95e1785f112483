import type { Database } from '#platform/database/database.ts';
import { loadProviders, type ProviderRow } from './store.ts';

/** Providers of the workspaces, in memory; follows the topic `pattern.providers`. */
export interface ProviderTable {
  load(): Promise<void>;
  find(workspace: string, name: string): ProviderRow | undefined;
  of(workspace: string): readonly ProviderRow[];
}

export function createProviderTable(database: Database): ProviderTable {
  let byWorkspace = new Map<string, ProviderRow[]>();
  return {
    async load() {
      const next = new Map<string, ProviderRow[]>();
      for (const row of await loadProviders(database)) {
        const rows = next.get(row.workspace) ?? [];
        rows.push(row);
        next.set(row.workspace, rows);
      }
      byWorkspace = next;
    },
    find: (workspace, name) => byWorkspace.get(workspace)?.find((row) => row.name === name),
    of: (workspace) => byWorkspace.get(workspace) ?? [],
  };
}
