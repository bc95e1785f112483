import type { DataClass, StoreTexts } from '@damask/contracts/pattern-settings.ts';
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
  const marked = marks ? { ...row, ...toMarkColumns(parts, context.workspace, marks) } : row;
  const data_class = parts.privacy.classOf(context.workspace, plan.dataClass);
  return data_class === 'internal' && plan.version.store === 'all'
    ? marked
    : { ...marked, ...toCareColumns(data_class, plan.version.store) };
}

/** How carefully its texts are handled; null in the columns is what most runs have. */
export function toCareColumns(data_class: DataClass, store: StoreTexts): Pick<AcceptedRow, 'data_class' | 'texts'> {
  return {
    ...(data_class === 'internal' ? {} : { data_class }),
    ...(store === 'none' ? { texts: 'not_stored' as const } : {}),
  };
}

/** What a subject is found by. Errors: `subject_erasing` while everything of it is being erased. */
export function markSubject({ payloads, privacy }: EngineParts, workspace: string, subject: string): string {
  const digest = payloads.digestSubject(workspace, subject);
  privacy.admit(workspace, digest);
  return digest;
}

function toMarkColumns(parts: EngineParts, workspace: string, { subject, rerunOf, cachedFrom }: RunMarks) {
  return {
    ...(subject === undefined ? {} : { subject: markSubject(parts, workspace, subject) }),
    ...(rerunOf === undefined ? {} : { rerun_of: rerunOf }),
    ...(cachedFrom === undefined ? {} : { cached_from: cachedFrom }),
  };
}
