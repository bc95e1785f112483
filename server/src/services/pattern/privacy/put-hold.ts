import type { InputOf } from '@damask/contracts/operation.ts';
import type { LegalHold, privacyOperations } from '@damask/contracts/privacy.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import type { Vault } from '#platform/vault.ts';
import { findHoldOn, listRunning } from './erasure-store.ts';
import type { HoldRow } from './legal-holds.ts';
import type { PrivacyParts } from './privacy-parts.ts';
import * as store from './privacy-store.ts';

type Input = InputOf<(typeof privacyOperations)['putHold']>;
type Change = <Result>(context: CallContext, work: (transaction: Transaction) => Promise<Result>) => Promise<Result>;

const tooLate = new AppError(
  'subject_erasing',
  'An end user whom this would cover is being erased, which cannot be stopped half-way. Place the hold once that has ended.',
  { retryAfterSeconds: 5 },
);

/** What seals the name of the subject that a hold is on. */
export const holdPlace = (hold: string) => ({ table: 'pattern.legal_hold', row: hold, column: 'subject_name' });

/** Places a hold, or replaces the one of this name. Errors: `invalid_request`, `policy_refused`, `subject_erasing`. */
export async function putHold(
  parts: PrivacyParts,
  context: CallContext,
  input: Input,
  change: Change,
): Promise<LegalHold> {
  const { workspace } = context;
  await parts.vault.ready(workspace);
  const hold = await toRow(parts, context, input);
  return change(context, async (transaction) => {
    // From here on nobody removes anything: a step that saw no hold has ended.
    await store.holdKeeper(transaction);
    const known = await store.readHold(transaction, hold.name);
    if (!known && (await store.allHolds(transaction)).length >= store.mostHolds) {
      throw new AppError('policy_refused', `A workspace has ${store.mostHolds} legal holds at most. Lift one first.`, {
        pointer: '/hold',
      });
    }
    await parts.trail.look(transaction, `hold/${hold.name}`);
    await store.saveHold(transaction, workspace, hold);
    // What it covers instead of before.
    if (known) await store.beginAnew(transaction, workspace);
    for (const erased of await listRunning(transaction)) {
      if ((await findHoldOn(transaction, workspace, erased))?.name === hold.name) throw tooLate;
    }
    const { subject, pattern, since, until, reason } = hold;
    await parts.trail.leave(transaction, context, {
      action: 'putHold',
      subject: `hold/${hold.name}`,
      details: { reason, subject, pattern, since, until },
      event: 'pattern.hold-put',
      data: { hold: hold.name },
    });
    return toHold(parts.vault, workspace, (await store.readHold(transaction, hold.name)) as HoldRow);
  });
}

async function toRow(parts: PrivacyParts, context: CallContext, input: Input): Promise<Omit<HoldRow, 'placed_at'>> {
  const { hold: name, reason, subject: named, pattern = null } = input;
  const [since, until] = [readTime('/since', input.since), readTime('/until', input.until)];
  if (named === undefined && pattern === null && since === null && until === null) {
    throw invalid(
      '/hold',
      'Say what it holds: a subject, a pattern, a period from since to until, or several of them.',
    );
  }
  if (since !== null && until !== null && since >= until) {
    throw invalid('/until', 'This period would end before it begins. Name a later time.');
  }
  const { workspace } = context;
  const sealed = named === undefined ? null : parts.vault.seal(workspace, holdPlace(name), Buffer.from(named));
  return {
    ...{ name, reason, pattern, since, until, placed_by: context.actor.name },
    subject: named === undefined ? null : parts.digestSubject(workspace, named),
    subject_name: await sealed,
  };
}

/** A hold as its readers see it. Needs the vault to be ready. */
export async function toHold(vault: Vault, workspace: string, row: HoldRow): Promise<LegalHold> {
  const { name, reason, pattern, since, until, placed_at, placed_by, subject_name: sealed } = row;
  return {
    ...{ name, reason, pattern, placed_by },
    subject: sealed && (await vault.open(workspace, holdPlace(name), sealed)).toString('utf8'),
    since: since?.toISOString() ?? null,
    until: until?.toISOString() ?? null,
    placed_at: placed_at.toISOString(),
  };
}

function readTime(pointer: string, text: string | undefined): Date | null {
  if (text === undefined) return null;
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw invalid(pointer, 'This is no time. Write it like 2026-11-23T18:00:00Z.');
  return time;
}

function invalid(pointer: string, detail: string): AppError {
  return new AppError('invalid_request', detail, { pointer });
}
