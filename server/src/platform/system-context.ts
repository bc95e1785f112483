import { type CallContext, everywhere } from './call.ts';
import type { Clock } from './clock.ts';

/** Stands where a call belongs to no workspace. */
export const noWorkspace = '00000000-0000-0000-0000-000000000000';

const longestCall = 30_000;

/** The context of a call that the platform makes for itself: `internal` operations only. */
export function systemContext(clock: Clock, signal: AbortSignal = new AbortController().signal): CallContext {
  return {
    requestId: clock.uuid(),
    workspace: noWorkspace,
    actor: { kind: 'system', id: 'platform', name: 'the platform', role: 'owner' },
    permissions: new Set(),
    reach: everywhere,
    deadline: clock.now() + longestCall,
    signal,
  };
}
