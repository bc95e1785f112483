import type { CallContext } from '#platform/call.ts';
import type { EngineParts, Execution } from './engine.ts';
import type { AcceptedRow } from './record.ts';

/** What is known of a run before its call goes out. */
export function toAcceptedRow(
  parts: EngineParts,
  context: CallContext,
  { plan, route, strategy, background, session, metadata }: Execution,
): AcceptedRow {
  return {
    workspace: context.workspace,
    id: parts.clock.uuid(),
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
}
