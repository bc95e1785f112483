import type { Run } from '@damask/contracts/run.ts';
import { notFound } from '#platform/app-error.ts';
import { describeAttachments } from '../conversation/attach.ts';
import { summarizeAccepted, summarizeFinished } from './record.ts';
import type { RunParts } from './run-parts.ts';
import { readAccepted, readFinished } from './store.ts';

/** A run as its record tells it. Errors: `not_found`. */
export async function readRun({ database, engine }: RunParts, workspace: string, id: string): Promise<Run> {
  const { finished, accepted } = await database.transaction({ role: 'pattern', workspace }, async (transaction) => {
    const row = await readFinished(transaction, id);
    return { finished: row, accepted: row ? undefined : await readAccepted(transaction, id) };
  });
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
  const texts = payload ? await engine.payloads.open(row, payload) : { input: null, variables: {}, output: null };
  const attachments = describeAttachments('attachments' in texts ? texts.attachments : undefined);
  return {
    ...summarizeFinished(row),
    attempts: [...row.attempts],
    sanitised: row.sanitised,
    ...texts,
    attachments,
  };
}
