import type { CallContext } from '#platform/call.ts';
import type { EngineParts, Execution, RunMarks } from './engine.ts';
import type { AcceptedRow } from './record.ts';

type RunBeginning = Pick<Execution, 'plan' | 'strategy' | 'background' | 'session' | 'metadata' | 'marks' | 'id'> & {
  readonly route: Pick<Execution['route'], 'name'>;
};

/** What is known of a run before its call goes out. */
export function toAcceptedRow(
  parts: EngineParts,
  context: CallContext,
  { plan, route, strategy, background, session, metadata, marks, id }: RunBeginning,
): AcceptedRow {
  const row: AcceptedRow = {
    workspace: context.workspace,
    id: id ?? parts.clock.uuid(),
    process: parts.process,
    accepted_at: new Date(parts.clock.now()).toISOString(),
    pattern: plan.pattern,
    version: plan.version.number,
    digest: plan.version.digest,
    environment: plan.environment,
    label: plan.label,
    strategy,
    context: background,
    session,
    language: plan.language,
    model: route.name,
    stream: context.sink !== undefined,
    actor: context.actor.id,
    metadata,
  };
  return marks ? { ...row, ...toMarkColumns(parts, context.workspace, marks) } : row;
}

function toMarkColumns({ payloads }: EngineParts, workspace: string, { subject, rerunOf, cachedFrom }: RunMarks) {
  return {
    ...(subject === undefined ? {} : { subject: payloads.digestSubject(workspace, subject) }),
    ...(rerunOf === undefined ? {} : { rerun_of: rerunOf }),
    ...(cachedFrom === undefined ? {} : { cached_from: cachedFrom }),
  };
}
