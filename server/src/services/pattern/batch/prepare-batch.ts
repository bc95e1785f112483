import type { batchOperations } from '@damask/contracts/batch-operations.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import type { DataClass, StoreTexts } from '@damask/contracts/pattern-settings.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { isChain, pinChain } from '../chain/pin-chain.ts';
import { refuseForChain } from '../chain/refuse-for-chain.ts';
import { refuseDisabled } from '../library/build-messages.ts';
import { higherClass } from '../privacy/data-class.ts';
import { toWish } from '../routing/wish.ts';
import { refuseUnfit } from '../run/plan-queued-run.ts';
import { choosePlan } from '../run/plan-run.ts';
import { requirePrices } from '../run/require-prices.ts';
import { timeoutOf } from '../run/start-request.ts';
import { type BatchParts, planPlace } from './batch-parts.ts';
import type { BatchPlan, BatchSettings } from './batch-record.ts';
import type { NewBatch } from './batch-store.ts';
import type { LineRules } from './check-line.ts';

export type BatchRequest = InputOf<(typeof batchOperations)['createBatch']>;

/** Finds out all that can be wrong with a batch before its lines are looked at, and pins what it names. */
export async function prepareBatch(
  parts: BatchParts,
  context: CallContext,
  input: BatchRequest,
): Promise<{ readonly batch: NewBatch; readonly rules: LineRules }> {
  const { workspace } = context;
  refuseUnfit(input, parts.clock.now());
  if (input.metadata?.subject !== undefined) {
    throw new AppError('invalid_request', 'A batch is about many. Name the subject with each line, in its metadata.', {
      pointer: '/metadata/subject',
    });
  }
  const { pattern, version, texts, redact } = await choosePlan(parts, workspace, input);
  refuseDisabled(version);
  const { id: patternId, name } = pattern;
  const pinned = { id: patternId, name };
  const chain = isChain(version) ? await pinChain(parts.library, workspace, pinned, version) : undefined;
  const place = input.environment ?? 'development';
  const wish = chain ? null : toWish(input.model, version);
  if (chain) refuseForChain(input);
  else {
    parts.router.order(workspace, wish);
    const environment = input.version === undefined && input.label === undefined ? place : null;
    requirePrices(parts, context, { pattern: name, environment }, wish);
  }
  await parts.vault.ready(workspace);
  const id = parts.clock.uuid();
  const parameters = input.parameters ?? null;
  const deterministic = input.deterministic ?? { ...version.parameters, ...parameters }.temperature === 0;
  const named = input.version !== undefined || input.label !== undefined;
  const plan: BatchPlan = {
    pin: { pattern: name, id: patternId, version: version.number },
    texts: { strategy: texts.strategy, context: texts.context },
    wish,
    timeoutMs: timeoutOf(parts, { version }, undefined),
    ...(chain ? { chain } : {}),
    ...(redact ? { redact } : {}),
    ...(version.classed ? { classed: version.classed } : {}),
  };
  const dataClass = parts.privacy.classOf(workspace, higherClass(version.data_class, chain?.data_class));
  const sealed = await parts.vault.seal(workspace, planPlace(id), Buffer.from(JSON.stringify(plan)));
  return {
    batch: {
      workspace,
      id,
      process: parts.process,
      pattern: name,
      version: version.number,
      settings: {
        digest: version.digest,
        environment: named ? null : place,
        label: input.label ?? null,
        model: input.model ?? null,
        strategy: input.strategy ?? null,
        context: input.context ?? null,
        parameters,
        language: version.language,
        priority: input.priority ?? 'bulk',
        concurrency: input.concurrency ?? null,
        accept: input.accept ?? 'all',
        on_error: input.on_error ?? 'go_on',
        deterministic,
        metadata: input.metadata ?? {},
        start_at: input.start_at ?? null,
        ...toCareSettings(dataClass, version.store),
      },
      plan: sealed,
      actor: context.actor.id,
      createdAt: new Date(parts.clock.now()),
      deadline: input.deadline ?? null,
    },
    rules: {
      variables: version.variables,
      blankInput: version.inline,
      inputCharacters: version.limits.input_characters,
    },
  };
}

function toCareSettings(data_class: DataClass, store: StoreTexts): Pick<BatchSettings, 'data_class' | 'store'> {
  return {
    ...(data_class === 'internal' ? {} : { data_class }),
    ...(store === 'none' ? { store } : {}),
  };
}
