import type { Run } from '@damask/contracts/run.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Enqueued } from '../queue/task-record.ts';
import { type ClaimOwner, type ClaimRow, readClaims } from './claim-store.ts';
import { ClaimFailed } from './claim-writer.ts';
import { digestValue } from './digest-request.ts';
import type { RunClaim } from './engine.ts';
import type { AcceptedRow } from './record.ts';
import { replayRun } from './replay-run.ts';
import type { RunParts } from './run-parts.ts';
import { toUnfinished } from './unfinished.ts';

/** The key belongs to another run, of this request or another one. */
class KeyTaken extends Error {
  readonly owner: ClaimOwner;

  constructor(owner: ClaimOwner) {
    super('The key is taken');
    this.owner = owner;
  }
}

/** Milliseconds before the second and third attempt. */
const pauses = [100, 400];

/**
 * Starts a run for its key once: who comes again with the same request gets the answer of the first one. Errors beside
 * the run's own: `idempotency_in_progress`, `idempotency_key_reused`.
 */
export function runOnce<Input extends { readonly idempotency_key?: string }>(
  parts: RunParts,
  context: CallContext,
  operation: string,
  input: Input,
  start: Start<Input>,
  answer: Answer = replayRun,
): Promise<Run> {
  if (input.idempotency_key === undefined || !parts.honoursKeys) return start(undefined, input);
  const { idempotency_key: key, ...request } = input;
  return runForKey(parts, context, { operation, key, request }, start, answer);
}

/** What is answered to who comes again. */
export type Answer = (parts: RunParts, context: CallContext, run: string) => Promise<Run>;

type Start<Input> = (claim: RunClaim | undefined, request: Omit<Input, 'idempotency_key'>) => Promise<Run>;

interface KeyedRequest<Request> {
  readonly operation: string;
  readonly key: string;
  readonly request: Request;
}

async function runForKey<Input>(
  parts: RunParts,
  context: CallContext,
  { operation, key, request }: KeyedRequest<Omit<Input, 'idempotency_key'>>,
  start: Start<Input>,
  answer: Answer,
): Promise<Run> {
  const { database, engine } = parts;
  const { workspace } = context;
  await engine.payloads.ready(workspace);
  const claim = {
    workspace,
    operation,
    key: digestValue(engine.payloads.hmacKey(workspace, 'idempotency key'), key),
    request: digestValue(engine.payloads.hmacKey(workspace, 'idempotent request'), request),
  };
  const answerOf = (owner: ClaimOwner) => {
    if (!owner.request.equals(claim.request)) throw keyReused(owner.run);
    return answer(parts, context, owner.run);
  };
  try {
    return await start({ accept: (row, queued) => acceptOnce(parts, claim, row, queued) }, request);
  } catch (error) {
    if (error instanceof KeyTaken) return answerOf(error.owner);
    if (!couldHideOwner(error)) throw error;
    // What the request names may be gone by now, or its time over: its answer is still the first one.
    const known = await database.transaction({ role: 'pattern', workspace }, (transaction) =>
      readClaims(transaction, [claim]),
    );
    const owner = known.get(claim);
    if (owner) return answerOf(owner);
    throw error;
  }
}

/** A refusal before the key was looked at. */
function couldHideOwner(error: unknown): boolean {
  if (!(error instanceof AppError) || error.details.runId !== undefined) return false;
  return error.code !== 'overloaded' && error.code !== 'unavailable';
}

async function acceptOnce(
  { claims, engine }: RunParts,
  claim: Omit<ClaimRow, 'run'>,
  row: AcceptedRow,
  queued: Enqueued | undefined,
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      const owner = await claims.claim({ ...claim, run: row.id }, row, queued);
      // Its own claim is found where the reply to an earlier commit was lost.
      if (owner === undefined || owner.run === row.id) return;
      throw new KeyTaken(owner);
    } catch (error) {
      if (!(error instanceof ClaimFailed)) throw error;
      if (!error.asked && attempt === 0) throw error.cause;
      const pause = pauses[attempt];
      if (pause === undefined && queued) {
        throw new AppError(
          'unavailable',
          unsureQueued,
          { runId: row.id, retryAfterSeconds: 2 },
          { cause: error.cause },
        );
      }
      if (pause === undefined) {
        // Whether it was committed is not known, so it ends here: no key may lead to a run without an end.
        engine.journal.finish(toUnfinished(row, engine.clock.now(), 'unrecorded', unsure), null);
        throw new AppError('unrecorded', unsure, { runId: row.id }, { cause: error.cause });
      }
      await engine.clock.sleep(pause);
    }
  }
}

const unsure =
  'Whether the run was recorded is not known, so it was not started. Look it up, then send it again with another key.';

const unsureQueued =
  'Whether the run was accepted is not known. Send the same again with the same key: that finds it, or accepts it.';

function keyReused(run: string): AppError {
  return new AppError(
    'idempotency_key_reused',
    'This Idempotency-Key came with another request before. Send the same request, or take a new key.',
    { pointer: '/idempotency_key', runId: run },
  );
}
