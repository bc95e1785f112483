import type { InputOf } from '@damask/contracts/operation.ts';
import type { Run } from '@damask/contracts/run.ts';
import type { runOperations } from '@damask/contracts/run-operations.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { StoredAttachment } from '../conversation/turn-text.ts';
import { runOnce } from './claim-run.ts';
import type { Payload } from './payloads.ts';
import { answerAgain, queueRun } from './queue-run.ts';
import { openPayload } from './read-run.ts';
import type { FinishedRow } from './record.ts';
import { replayRun } from './replay-run.ts';
import type { RunParts } from './run-parts.ts';
import type { StartRequest } from './start-request.ts';
import { startRun } from './start-run.ts';
import { readAccepted, readFinished } from './store.ts';

type Input = InputOf<(typeof runOperations)['rerunRun']>;
type Changes = Omit<Input, 'run' | 'idempotency_key'>;

/**
 * Runs what another run ran, with changes: same version by its number, same texts, same settings as far as the request
 * does not say otherwise. Errors beside a run's own: `not_found`, `payload_gone`.
 */
export function rerunRun(parts: RunParts, context: CallContext, input: Input): Promise<Run> {
  const start = input.mode === 'async' ? queueRun : startRun;
  return runOnce(
    parts,
    context,
    'rerunRun',
    input,
    async (claim, { run, ...changes }) => {
      const { row, payload } = await readEnded(parts, context.workspace, run, gone);
      return start(parts, context, mergeRequest(row, payload, changes), { ...(claim ? { claim } : {}), rerunOf: run });
    },
    input.mode === 'async' ? answerAgain : replayRun,
  );
}

/** A run that has ended, with its texts. `refuse` makes the error for one that has not. */
export async function readEnded(
  parts: RunParts,
  workspace: string,
  id: string,
  refuse: (detail: string, run: string) => AppError,
) {
  const scope = { role: 'pattern', workspace };
  const finished = await parts.database.transaction(scope, async (transaction) => {
    const row = await readFinished(transaction, id);
    if (!row && !(await readAccepted(transaction, id))) throw notFound();
    return row;
  });
  if (!finished) throw refuse('The run has not ended. Wait until it has, then run it again.', id);
  const { payload, ...row } = finished;
  return { row, payload: await openPayload(parts, row, payload) };
}

/** What a run ran, with changes. Errors: `payload_gone`, and `invalid_request` for a turn of a session. */
export function mergeRequest(row: FinishedRow, payload: Payload | null, changes: Changes): StartRequest {
  const { pattern, version, label, environment, input = payload?.input } = changes;
  if (input === undefined) {
    throw gone(
      'The texts of this run are not kept, so it cannot be run again as it was. Give an input, or start a new run.',
      row.id,
    );
  }
  if (row.session !== null && changes.session === undefined) {
    throw new AppError(
      'invalid_request',
      'This run was a turn of a session, and what was said before it is no part of it. Name the session that is to go on.',
      { pointer: '/session', runId: row.id },
    );
  }
  const picks = pattern ?? version ?? label ?? environment;
  const { asked, subject } = payload ?? {};
  const kept = {
    pattern: row.pattern,
    ...(picks === undefined ? { version: row.version } : {}),
    ...(row.strategy === null ? {} : { strategy: row.strategy }),
    ...(row.context === null ? {} : { context: row.context }),
    ...(subject === undefined ? {} : { subject }),
    ...(payload?.attachments && changes.attachments === undefined
      ? { attachments: payload.attachments.map((file) => reattach(file, row.id)) }
      : {}),
    metadata: row.metadata,
    ...asked,
  };
  return {
    ...kept,
    ...changes,
    input,
    // Variables belong to their pattern: another one may know none of them, and would refuse them.
    variables: {
      ...(pattern === undefined || pattern === row.pattern ? payload?.variables : {}),
      ...changes.variables,
    },
    parameters: { ...asked?.parameters, ...changes.parameters },
  };
}

function reattach({ type, name, media_type, data }: StoredAttachment, run: string) {
  if (data === undefined) {
    throw gone('The attachments of this run are not kept. Send them again in attachments.', run);
  }
  return type === 'text' ? { type, name, media_type, text: data } : { type, name, media_type, data };
}

function gone(detail: string, runId: string): AppError {
  return new AppError('payload_gone', detail, { runId });
}
