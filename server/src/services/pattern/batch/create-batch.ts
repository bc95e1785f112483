import { createHash } from 'node:crypto';
import { type Batch, batchLineLimit } from '@damask/contracts/batch-operations.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { inWorkspace } from '../library/library-parts.ts';
import { type ClaimOwner, insertClaims, readClaims } from '../run/claim-store.ts';
import { digestValue } from '../run/digest-request.ts';
import type { BatchParts } from './batch-parts.ts';
import { toBatch } from './batch-record.ts';
import { openBatch, readBatch } from './batch-store.ts';
import { checkItems } from './check-items.ts';
import { type BatchRequest, prepareBatch } from './prepare-batch.ts';
import { readUploadLines } from './read-upload-lines.ts';
import { createReceiver } from './receive-lines.ts';

const operation = 'createBatch';

/** All that tells a request from another one with the same key. */
interface Key {
  readonly key: Buffer;
  /** Of the fields, and of what was uploaded. */
  digest(body: string | null): Buffer;
}

/**
 * Takes a batch with its lines: all of it or, as `accept` says, without the bad ones. Nothing is seen of it, run or billed before the
 * upload is whole. Errors: those of a run before its call, `invalid_batch`, `too_large`, `idempotency_key_reused`.
 */
export async function createBatch(parts: BatchParts, context: CallContext, input: BatchRequest): Promise<Batch> {
  const { upload } = context;
  if ((input.items === undefined) === (upload === undefined)) {
    throw new AppError(
      'invalid_request',
      'Send the lines as items, or upload JSONL or CSV as the body: one of the two.',
      {
        pointer: '/items',
      },
    );
  }
  if ((input.items?.length ?? 0) > parts.limits.max_lines) {
    throw new AppError('too_large', `A batch may have ${parts.limits.max_lines} lines here. Send several.`, {
      pointer: '/items',
    });
  }
  const { idempotency_key: name, ...request } = input;
  await parts.vault.ready(context.workspace);
  const key = name === undefined ? undefined : toKey(parts, context, name, request);
  const hash = key && upload ? createHash('sha256') : undefined;
  const owner = key && (await findOwner(parts, context, key));
  if (key && owner) {
    for await (const bytes of upload?.bytes ?? []) hash?.update(bytes);
    return answerOf(parts, context, owner, key.digest(hash?.digest('hex') ?? null));
  }
  const { batch, rules } = await prepareBatch(parts, context, input);
  const receiver = createReceiver(parts, batch, {
    accept: batch.settings.accept,
    dry: input.dry_run === true,
    errorsAfter: input.errors_after ?? 0,
  });
  const { deterministic } = batch.settings;
  const how = { rules, deterministic, lineLimit: batchLineLimit, linesLimit: parts.limits.max_lines };
  let accepted = false;
  try {
    const pieces = upload
      ? readUploadLines(
          upload,
          { ...how, format: upload.type === 'text/csv' ? 'csv' : 'jsonl' },
          { ...parts.threads, hash, bytesLimit: parts.limits.max_bytes },
        )
      : checkItems(input.items ?? [], how);
    for await (const piece of pieces) {
      if (context.signal.aborted) throw new AppError('unavailable', 'The caller left.');
      await receiver.keep(piece);
    }
    const counts = await receiver.close();
    if (input.dry_run) return toDryBatch(batch, counts, parts.clock.now());
    const digest = key?.digest(hash?.digest('hex') ?? null);
    const claim = key &&
      digest && { workspace: context.workspace, operation, key: key.key, request: digest, run: batch.id };
    const opened = await inWorkspace(parts, context, async (transaction) => {
      if (claim && !(await insertClaims(transaction, [claim])).has(batch.id)) return undefined;
      const row = await openBatch(transaction, batch.id, counts);
      if (!row) throw new AppError('unavailable', 'What was uploaded was removed meanwhile. Send it again.');
      await parts.trail.leave(transaction, context, {
        action: operation,
        subject: `batch/${batch.id}`,
        details: { pattern: batch.pattern, version: batch.version, lines: counts.total, rejected: counts.rejected },
        event: 'pattern.batch-created',
        data: { batch: batch.id, pattern: batch.pattern, lines: counts.total },
      });
      return row;
    });
    if (opened) {
      accepted = true;
      parts.wake();
      return toBatch(opened, parts.clock.now());
    }
    const first = key && (await findOwner(parts, context, key));
    if (!first || !digest) throw new AppError('unavailable', 'Another request with this key is under way. Try again.');
    return await answerOf(parts, context, first, digest);
  } finally {
    if (!accepted) {
      await receiver
        .remove()
        .catch((error: unknown) =>
          parts.log.warn('What a refused batch left is removed later', { batch: batch.id, error }),
        );
    }
  }
}

function toKey(
  parts: BatchParts,
  { workspace }: CallContext,
  key: string,
  request: Omit<BatchRequest, 'idempotency_key'>,
): Key {
  const { vault } = parts;
  return {
    key: digestValue(vault.hmacKey(workspace, 'idempotency key'), key),
    digest: (body) => digestValue(vault.hmacKey(workspace, 'idempotent request'), { request, body }),
  };
}

async function findOwner(parts: BatchParts, context: CallContext, { key }: Key): Promise<ClaimOwner | undefined> {
  const asked = { operation, key };
  const known = await inWorkspace(parts, context, (transaction) => readClaims(transaction, [asked]));
  return known.get(asked);
}

async function answerOf(parts: BatchParts, context: CallContext, owner: ClaimOwner, digest: Buffer): Promise<Batch> {
  if (!owner.request.equals(digest)) {
    throw new AppError(
      'idempotency_key_reused',
      'This Idempotency-Key came with another request before. Send the same request, or take a new key.',
      { pointer: '/idempotency_key' },
    );
  }
  const row = await inWorkspace(parts, context, (transaction) => readBatch(transaction, owner.run));
  if (!row) throw notFound();
  return { ...toBatch(row, parts.clock.now()), replayed: true };
}

/** What a batch would be. */
function toDryBatch(
  { createdAt, plan: _plan, process: _process, ...batch }: Awaited<ReturnType<typeof prepareBatch>>['batch'],
  counts: { readonly total: number; readonly rejected: number },
  now: number,
): Batch {
  const none = { begun: 0, again: 0, next_line: 0, succeeded: 0, failed: 0, cancelled: 0, shared: 0, rated: 0 };
  const spent = { input_tokens: 0, output_tokens: 0, cost_micros: 0, unpriced: 0 };
  const open = { reason: null, started_at: null, finished_at: null, rate: null, rated_at: null };
  const row = { ...batch, ...none, ...spent, ...open, ...counts, status: 'queued' as const };
  return { ...toBatch({ ...row, created_at: createdAt.toISOString() }, now), dry_run: true };
}
