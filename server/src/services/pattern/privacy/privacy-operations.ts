import type { privacyOperations, Retention } from '@damask/contracts/privacy.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext, Implementation } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { bumpTopic } from '#platform/topic.ts';
import * as erasures from './erasure-store.ts';
import { exportSubject } from './export-subject.ts';
import { onHold } from './hold-session.ts';
import type { PrivacyParts } from './privacy-parts.ts';
import * as store from './privacy-store.ts';
import { putHold, toHold } from './put-hold.ts';
import { checkRules } from './retention-rules.ts';
import { privacyTopic } from './run-privacy.ts';

type Operations = Implementation<typeof privacyOperations>;

/** Retention, legal holds, and data subjects. Inputs are checked and permissions asked for before they come here. */
export function createPrivacyOperations(parts: PrivacyParts): Operations {
  const { cursors, trail, vault } = parts;
  const look = <Result>({ workspace }: CallContext, work: (transaction: Transaction) => Promise<Result>) =>
    parts.database.transaction({ role: 'pattern', workspace }, work);
  /** Of this process's table the caller's next request must see the change; the others hear of it. */
  const change: typeof look = async (context, work) => {
    const result = await look(context, work);
    await parts
      .afterChange()
      .catch((error: unknown) => parts.log.warn('The table of privacy follows a change later', { error }));
    parts.wake();
    return result;
  };

  return {
    async readRetention(context) {
      return toRetention(await look(context, store.readRetention));
    },

    /** Replaces all rules. Errors: `invalid_request`. */
    putRetention(context, { least_class = 'public', rules }) {
      checkRules(rules);
      const { workspace } = context;
      return change(context, async (transaction) => {
        await trail.look(transaction, 'retention');
        await store.saveRetention(transaction, { workspace, least_class, rules });
        await store.beginAnew(transaction, workspace);
        await trail.leave(transaction, context, {
          action: 'putRetention',
          subject: 'retention',
          details: { least_class, rules },
          event: 'pattern.retention-put',
          data: { rules: rules.length },
        });
        await bumpTopic(transaction, privacyTopic);
        return toRetention(await store.readRetention(transaction));
      });
    },

    async listRemovals(context, { limit = 50, cursor }) {
      const scope = { list: 'listRemovals', workspace: context.workspace };
      const [before = null] = cursor === undefined ? [] : cursors.decode(scope, cursor);
      const rows = await look(context, (transaction) => store.listRemovals(transaction, { before, limit: limit + 1 }));
      const items = rows.slice(0, limit);
      const last = items.at(-1);
      return rows.length > limit && last ? { items, next: cursors.encode(scope, [last.id]) } : { items };
    },

    async listHolds(context, { limit = 50, cursor }) {
      const { workspace } = context;
      const scope = { list: 'listHolds', workspace };
      const [after = null] = cursor === undefined ? [] : cursors.decode(scope, cursor);
      await vault.ready(workspace);
      const rows = await look(context, (transaction) => store.listHolds(transaction, { after, limit: limit + 1 }));
      const items = await Promise.all(rows.slice(0, limit).map((row) => toHold(vault, workspace, row)));
      const last = items.at(-1);
      return rows.length > limit && last ? { items, next: cursors.encode(scope, [last.name]) } : { items };
    },

    putHold: (context, input) => putHold(parts, context, input, change),

    /** What it held back is removed soon, where retention says so. Errors: `not_found`. */
    async deleteHold(context, { hold: name }) {
      const { workspace } = context;
      await vault.ready(workspace);
      return change(context, async (transaction) => {
        await store.holdKeeper(transaction);
        const row = await store.readHold(transaction, name);
        if (!row) throw notFound();
        await trail.look(transaction, `hold/${name}`);
        await store.deleteHold(transaction, name);
        await store.beginAnew(transaction, workspace);
        await trail.leave(transaction, context, {
          action: 'deleteHold',
          subject: `hold/${name}`,
          details: { reason: row.reason },
          event: 'pattern.hold-lifted',
          data: { hold: name },
        });
        return toHold(vault, workspace, row);
      });
    },

    exportSubject: (context, input) => exportSubject(parts, context, input),

    /** The same again while it runs answers how far it is. Errors: `on_hold`. */
    async eraseSubject(context, { subject: name }) {
      const { workspace } = context;
      await vault.ready(workspace);
      const subject = parts.digestSubject(workspace, name);
      return change(context, async (transaction) => {
        await store.holdKeeper(transaction);
        const running = await erasures.findRunning(transaction, subject);
        if (running) return erasures.toErasure(running);
        const hold = await erasures.findHoldOn(transaction, workspace, subject);
        if (hold) throw onHold(hold);
        const id = parts.clock.uuid();
        await erasures.insertErasure(transaction, workspace, id, subject);
        await trail.leave(transaction, context, {
          action: 'eraseSubject',
          subject: `subject/${subject}`,
          details: { erasure: id },
          event: 'pattern.subject-erasing',
          data: { erasure: id },
        });
        await bumpTopic(transaction, privacyTopic);
        const row = await erasures.readErasure(transaction, id);
        if (!row) throw new Error('An erasure that was just noted is not there');
        return erasures.toErasure(row);
      });
    },

    async listErasures(context, { limit = 50, cursor }) {
      const scope = { list: 'listErasures', workspace: context.workspace };
      const [before = null] = cursor === undefined ? [] : cursors.decode(scope, cursor);
      const rows = await look(context, (transaction) =>
        erasures.listErasures(transaction, { before, limit: limit + 1 }),
      );
      const items = rows.slice(0, limit).map(erasures.toErasure);
      const last = items.at(-1);
      return rows.length > limit && last ? { items, next: cursors.encode(scope, [last.id]) } : { items };
    },

    /** Errors: `not_found`. */
    async readErasure(context, { erasure }) {
      const row = await look(context, (transaction) => erasures.readErasure(transaction, erasure));
      if (!row) throw notFound();
      return erasures.toErasure(row);
    },
  };
}

function toRetention(row: store.RetentionRow | undefined): Retention {
  if (!row) return { least_class: 'public', rules: [], updated_at: null };
  return { least_class: row.least_class, rules: [...row.rules], updated_at: row.updated_at.toISOString() };
}
