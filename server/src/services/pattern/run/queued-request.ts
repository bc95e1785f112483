import type { Redaction } from '@damask/contracts/guard.ts';
import type { Vault } from '#platform/vault.ts';
import type { ChainPlan } from '../chain/chain-plan.ts';
import type { PinnedPattern } from '../library/library-table.ts';
import type { PlanTexts } from './plan-run.ts';
import type { StartRequest } from './start-request.ts';

/** What a queued run is, beside its accepted row: all that is needed to execute it later, whatever has changed until then. */
export interface QueuedRequest {
  readonly request: AskedRequest;
  readonly pin: PinnedPattern;
  readonly texts: PlanTexts;
  /** Names of models in the order in which they are tried, without the fallbacks. */
  readonly models: readonly string[];
  /** Milliseconds that its call may take; of a chain: that each of its calls may take. */
  readonly timeoutMs: number;
  /** Somebody waits for the answer with a connection open. */
  readonly attended?: true;
  /** Present where the pattern is a chain. */
  readonly chain?: ChainPlan;
  /** What is taken out of its texts before they are stored. */
  readonly redact?: Redaction;
}

/** What of a request still matters when it is executed; the rest is in the row. */
export type AskedRequest = Omit<
  StartRequest,
  'mode' | 'stream' | 'metadata' | 'timeout_ms' | 'on_disconnect' | 'start_at' | 'deadline' | 'priority' | 'session'
>;

/** What seals a queued request. */
export const requestPlace = (run: string) => ({ table: 'pattern.task', row: run, column: 'request' });

/** What this process has sealed itself and still holds: a run that it executes soon after is not opened again. */
const sealedHere = new WeakMap<Buffer, { readonly id: string; readonly queued: QueuedRequest }>();

/** Needs the vault to be ready for the workspace. */
export function sealRequest(
  vault: Vault,
  { workspace, id }: { readonly workspace: string; readonly id: string },
  queued: QueuedRequest,
): Buffer | Promise<Buffer> {
  const sealed = vault.seal(workspace, requestPlace(id), Buffer.from(JSON.stringify(queued)));
  const keep = (one: Buffer) => {
    sealedHere.set(one, { id, queued });
    return one;
  };
  return Buffer.isBuffer(sealed) ? keep(sealed) : sealed.then(keep);
}

/** Errors: those of the vault. */
export async function openRequest(
  vault: Vault,
  { workspace, id }: { readonly workspace: string; readonly id: string },
  sealed: Buffer,
): Promise<QueuedRequest> {
  const known = sealedHere.get(sealed);
  if (known?.id === id) return known.queued;
  return JSON.parse((await vault.open(workspace, requestPlace(id), sealed)).toString('utf8')) as QueuedRequest;
}

/** Fields of a request that its execution needs. */
export function toAsked(input: StartRequest): AskedRequest {
  const {
    mode: _mode,
    stream: _stream,
    metadata: _metadata,
    timeout_ms: _timeout,
    on_disconnect: _onDisconnect,
    start_at: _startAt,
    deadline: _deadline,
    priority: _priority,
    session: _session,
    ...asked
  } = input;
  return asked;
}
