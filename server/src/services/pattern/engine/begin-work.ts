import { beginCall } from './begin-call.ts';
import type { Ended, Host, Part } from './part.ts';
import type { Work } from './work.ts';

/** Begins a run, or goes on where its records end. */
export function beginWork(host: Host, work: Work, ended: Ended): Part {
  const { input, variables } = work;
  if (work.kind === 'chain') return host.chain({ plan: work.plan, frame: '', input, variables }, ended);
  const { timeoutMs } = work;
  return beginCall(
    host,
    { path: '', pattern: null, input, variables, timeoutMs, retry: { times: 0, wait_ms: 0 } },
    ended,
  );
}
