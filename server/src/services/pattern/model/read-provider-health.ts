import type { ProviderHealth } from '@damask/contracts/model.ts';
import type { ModelParts } from './model-parts.ts';

const mostTold = 200;
const mostModels = 50;

/** What this process has seen of the workspace's own calls in the last minute; other workspaces' calls stay theirs. */
export function readProviderHealth({ sources, gates }: ModelParts, workspace: string): ProviderHealth[] {
  return sources
    .all(workspace)
    .slice(0, mostTold)
    .map(({ name, origin }) => {
      const gate = gates.of(workspace, name);
      const { state, models, keyRefused, running, waiting, closedForMs } = gate.state();
      const { recent, medianMs, lastError } = gate.record;
      return {
        provider: name,
        origin,
        state,
        models: models.slice(0, mostModels).map((one) => ({
          model: one.model,
          state: one.state,
          retry_after_ms: one.closedForMs > 0 ? Math.ceil(one.closedForMs) : null,
        })),
        key_refused: keyRefused,
        retry_after_ms: closedForMs > 0 ? Math.ceil(closedForMs) : null,
        calls: recent.calls,
        failures: recent.failures,
        failure_share: recent.calls === 0 ? null : Math.round((recent.failures / recent.calls) * 1000) / 1000,
        retries: recent.retries,
        running,
        waiting,
        p50_ms: medianMs === null ? null : Math.round(medianMs * 10) / 10,
        last_error:
          lastError === null
            ? null
            : { code: lastError.code, detail: lastError.detail, at: new Date(lastError.at).toISOString() },
      };
    });
}
