import type { ApprovalWork } from '../chain/chain-plan.ts';
import { type ApprovalDecision, outcomeOfApproval } from '../chain/combine-outcomes.ts';
import { type ChainScope, resolveText } from '../chain/resolve-reference.ts';
import { storableText } from '../run/output-text.ts';
import type { Ended, Host, OpenCall, Part } from './part.ts';
import type { StepDecision, StepError, StepRecord } from './ports.ts';
import { freshRecord } from './step-record.ts';

/** Characters that a person is shown. */
const longestMessage = 100_000;
const rejected: StepError = { code: 'not_approved', detail: 'The step was not approved, so the run does not go on.' };

/** Asks a person, and holds nothing until they have decided or their time is over. */
export function beginApproval(host: Host, path: string, work: ApprovalWork, scope: ChainScope, ended: Ended): Part {
  let open: OpenCall | undefined;
  const kept = host.record(path);

  const tell = (decided: ApprovalDecision) => {
    const outcome = outcomeOfApproval(decided, work.on_error);
    ended(outcome ? { ok: true, outcome } : { ok: false, error: rejected });
  };
  const decide = (record: StepRecord, decision: StepDecision | null) => {
    const decided = decision ? toDecision(decision) : { decision: work.on_timeout, comment: '', by: null };
    const yes = decided.decision === 'approve';
    host.save({
      ...record,
      state: yes ? 'succeeded' : 'failed',
      error: yes ? null : rejected,
      output: decided.comment,
      data: decided,
      why: null,
      until: null,
      decision: null,
      finished_at: host.now(),
    });
    tell(decided);
  };
  const wait = (record: StepRecord) => {
    if (record.decision) return decide(record, record.decision);
    if (record.until !== null && record.until <= host.now()) return decide(record, null);
    open = host.park({ path, why: 'approval', until: record.until, resume: (decision) => decide(record, decision) });
  };

  if (kept && kept.state !== 'waiting') tell(kept.data as ApprovalDecision);
  else if (kept) wait(kept);
  else {
    const now = host.now();
    const record: StepRecord = {
      ...freshRecord(path, null, now),
      output: storableText(resolveText(work.message, scope) ?? '', longestMessage),
      why: 'approval',
      until: now + work.timeout_seconds * 1_000,
    };
    host.save(record);
    wait(record);
  }
  return { cancel: () => open?.cancel() };
}

function toDecision({ decision, comment, actor }: StepDecision): ApprovalDecision {
  const yes = decision === 'approve' || decision === 'retry';
  return { decision: yes ? 'approve' : 'reject', comment: comment ?? '', by: actor };
}
