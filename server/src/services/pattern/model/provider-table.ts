import type { Database } from '#platform/database/database.ts';
import { loadProviders, type ProviderRow } from './store.ts';

/** Providers of the workspaces, in memory; follows the topic `pattern.providers`. */
export interface ProviderTable {
  load(): Promise<void>;
  find(workspace: string, name: string): ProviderRow | undefined;
  of(workspace: string): readonly ProviderRow[];
  /** Until they are loaded again: keys that were unsealed for them go. */
  forget(workspace: string): void;
}

/** `onChange` is told of each provider that was changed or is gone. */
export function createProviderTable(
  database: Database,
  onChange: (workspace: string, name: string) => void = () => undefined,
): ProviderTable {
  let byWorkspace = new Map<string, Map<string, ProviderRow>>();
  return {
    async load() {
      const next = new Map<string, Map<string, ProviderRow>>();
      for (const row of await loadProviders(database)) {
        const rows = next.get(row.workspace) ?? new Map<string, ProviderRow>();
        const before = byWorkspace.get(row.workspace)?.get(row.name);
        // What has not changed stays the same object: keys that were unsealed for it stay open.
        next.set(row.workspace, rows.set(row.name, before && before.revision === row.revision ? before : row));
      }
      const former = byWorkspace;
      byWorkspace = next;
      for (const [workspace, rows] of former) {
        for (const [name, row] of rows) if (next.get(workspace)?.get(name) !== row) onChange(workspace, name);
      }
    },
    find: (workspace, name) => byWorkspace.get(workspace)?.get(name),
    forget: (workspace) => void byWorkspace.delete(workspace),
    of: (workspace) => [...(byWorkspace.get(workspace)?.values() ?? [])],
  };
}
