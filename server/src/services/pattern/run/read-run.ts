import type { Run } from '@damask/contracts/run.ts';
import { notFound } from '#platform/app-error.ts';
import { describeAttachments } from '../conversation/attach.ts';
import type { Payload } from './payloads.ts';
import { type FinishedRow, summarizeAccepted, summarizeFinished } from './record.ts';
import type { RunParts } from './run-parts.ts';
import { readAccepted, readFinished } from './store.ts';
import { bareJson } from './structured-output.ts';

/** A run as its record tells it. Errors: `not_found`. */
export async function readRun(parts: RunParts, workspace: string, id: string): Promise<Run> {
  const { finished, accepted } = await parts.database.transaction(
    { role: 'pattern', workspace },
    async (transaction) => {
      const row = await readFinished(transaction, id);
      return { finished: row, accepted: row ? undefined : await readAccepted(transaction, id) };
    },
  );
  if (!finished) {
    if (!accepted) throw notFound();
    return {
      ...summarizeAccepted(accepted),
      attempts: [],
      sanitised: false,
      input: null,
      variables: {},
      attachments: [],
      output: null,
    };
  }
  const { payload, ...row } = finished;
  // Outside the transaction: the key may have to be read, which takes a connection of its own.
  const texts = await openPayload(parts, row, payload);
  return {
    ...summarizeFinished(row),
    attempts: [...row.attempts],
    sanitised: row.sanitised,
    input: texts?.input ?? null,
    variables: texts?.variables ?? {},
    attachments: describeAttachments(texts?.attachments),
    output: texts?.output ?? null,
    ...(texts?.tool_calls ? { tool_calls: [...texts.tool_calls] } : {}),
    ...(texts?.json ? { data: JSON.parse(bareJson(texts.output)) as unknown } : {}),
    ...(texts?.subject === undefined ? {} : { subject: texts.subject }),
  };
}

/** The texts of a run; null where none are kept. */
export async function openPayload(
  { engine }: Pick<RunParts, 'engine'>,
  row: FinishedRow,
  payload: Buffer | null,
): Promise<Payload | null> {
  return payload && engine.payloads.open(row, payload);
}
