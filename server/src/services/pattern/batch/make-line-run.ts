import { AppError } from '#platform/app-error.ts';
import { redactRequest } from '../guard/redact-run.ts';
import { classWith } from '../privacy/data-class.ts';
import type { Enqueued } from '../queue/task-record.ts';
import { toCareColumns } from '../run/begin-run.ts';
import { type QueuedRequest, sealRequest } from '../run/queued-request.ts';
import { type AcceptedRow, nobody } from '../run/record.ts';
import { type StartRequest, takeSubject } from '../run/start-request.ts';
import { type BatchParts, planPlace } from './batch-parts.ts';
import type { BatchPlan } from './batch-record.ts';
import type { LockedBatch } from './batch-store.ts';
import type { StoredLine } from './line-chunk.ts';

/** What the runs of a batch have in common. Errors: `payload_gone` when it cannot be decrypted. */
export async function openPlan({ vault }: Pick<BatchParts, 'vault'>, batch: LockedBatch): Promise<BatchPlan> {
  const bytes = await openSealed(vault.open(batch.workspace, planPlace(batch.id), batch.plan));
  return JSON.parse(bytes.toString('utf8')) as BatchPlan;
}

/** Says what to do where the key is another one. */
export async function openSealed(opening: Promise<Buffer>): Promise<Buffer> {
  try {
    return await opening;
  } catch (cause) {
    // Whoever keeps the key may answer again in a moment.
    if (!(cause instanceof AppError) || !cause.details.final) throw cause;
    throw new AppError(
      'payload_gone',
      'The lines of this batch cannot be decrypted. Put the key file back that they were written with, or cancel the batch.',
      {},
      { cause },
    );
  }
}

type Named = Pick<StartRequest, 'metadata' | 'subject'>;
type LineRunParts = Pick<BatchParts, 'router' | 'vault' | 'clock' | 'texts' | 'privacy' | 'digestSubject'>;

/** The run of a line: an ordinary one that names its batch. Throws `model_not_found`, `no_model` when its model is gone. */
export async function makeLineRun(
  { router, vault, clock, texts, privacy, digestSubject }: LineRunParts,
  { settings, ...batch }: LockedBatch,
  plan: BatchPlan,
  line: StoredLine,
): Promise<Enqueued> {
  const { workspace } = batch;
  // Each run draws its own model where the version has several.
  const models = plan.chain ? [] : router.order(workspace, plan.wish);
  const [model = ''] = models;
  const now = clock.now();
  const { subject, metadata = {} } = takeSubject<Named>({
    metadata: { ...settings.metadata, ...line.metadata },
  });
  const own = classWith(settings.data_class ?? 'internal', plan.classed ?? null, line.variables);
  const dataClass = privacy.classOf(workspace, own);
  const row: AcceptedRow = {
    workspace,
    id: clock.uuid(),
    process: nobody,
    accepted_at: new Date(now).toISOString(),
    pattern: batch.pattern,
    version: batch.version,
    digest: settings.digest,
    environment: settings.environment,
    label: settings.label,
    strategy: settings.strategy,
    context: settings.context,
    session: null,
    language: settings.language,
    model,
    stream: false,
    actor: batch.actor,
    metadata,
    batch: batch.id,
    ...(subject === undefined ? {} : { subject: digestSubject(workspace, subject) }),
    ...toCareColumns(dataClass, settings.store ?? 'all'),
  };
  const { redact, chain } = plan;
  const sent = { input: line.input ?? '', ...(line.variables ? { variables: line.variables } : {}) };
  // Of a chain all that its steps are given is stored.
  const given = redact && (redact.model || chain) ? await redactRequest(texts, redact, sent) : sent;
  const queued: QueuedRequest = {
    request: {
      pattern: batch.pattern,
      ...given,
      ...(subject === undefined ? {} : { subject }),
      ...(settings.environment === null ? { version: batch.version } : { environment: settings.environment }),
      ...(settings.model === null ? {} : { model: settings.model }),
      ...(settings.parameters === null ? {} : { parameters: settings.parameters }),
      ...(settings.strategy === null ? {} : { strategy: settings.strategy }),
      ...(settings.context === null ? {} : { context: settings.context }),
    },
    pin: plan.pin,
    texts: { strategy: plan.texts.strategy, context: plan.texts.context, now },
    models,
    timeoutMs: plan.timeoutMs,
    ...(chain ? { chain } : {}),
    ...(redact ? { redact } : {}),
  };
  return {
    row,
    task: {
      lane: settings.priority,
      priority: 0,
      provider: model.slice(0, Math.max(0, model.indexOf('/'))),
      model,
      batch: batch.id,
      ready_at: null,
      deadline: batch.deadline,
      request: await sealRequest(vault, row, queued),
    },
    owner: null,
  };
}
