import { hostname } from 'node:os';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import type { Egress } from '#platform/egress/egress.ts';
import { createSyslogSocket } from '#platform/egress/syslog-socket.ts';
import type { Log } from '#platform/log.ts';
import { createTrail } from '#platform/trail.ts';
import { watchHandChanges } from '#platform/watch-hand-changes.ts';
import type { AuditKeys } from './audit-keys.ts';
import { toEntry } from './chain-entry.ts';
import { readOnward } from './chain-store.ts';
import { createCheckpointFolder } from './checkpoint-folder.ts';
import { readCheckpointsOnward } from './checkpoint-store.ts';
import { startSequencer } from './start-sequencer.ts';
import { startStream } from './start-stream.ts';
import { statesOfIdentity } from './state-store.ts';
import { readNewestPosition } from './stream-store.ts';
import { toSyslogMessage } from './syslog-message.ts';
import { createWebhookSender } from './webhook-sender.ts';

/** Where the audit log goes beside the database. */
export interface AuditSettings {
  /** Folder of the checkpoints. */
  readonly checkpoints: string;
  readonly key_file: string;
  readonly webhook?: string | undefined;
  readonly checkpoint_webhook?: string | undefined;
  readonly webhook_secret?: string | undefined;
  readonly syslog?: string | undefined;
  /** Hosts that may be called although they are private. */
  readonly allow: readonly string[];
}

export interface AuditWork {
  /** Seals and signs what there is, now. */
  pass(): Promise<void>;
  /** Looks now for what was changed past the platform; answers how much it found. */
  look(): Promise<number>;
  stop(): Promise<void>;
}

const itemsAtOnce = 100;

/** Seals, signs and sends the audit log, until it is stopped. */
export function openAudit(
  parts: {
    readonly database: Database;
    readonly egress: Egress;
    readonly clock: Clock;
    readonly log: Log;
    readonly process: string;
    readonly auditSources: readonly string[];
    readonly keys: AuditKeys;
  },
  settings: AuditSettings,
): AuditWork {
  const { database, egress, clock, log, auditSources, keys } = parts;
  const folder = createCheckpointFolder(settings.checkpoints);
  const sequencer = startSequencer({ database, clock, log, auditSources, signing: { database, clock, keys, folder } });
  const trail = createTrail('identity', clock, statesOfIdentity);
  const watch = watchHandChanges({ database, service: 'identity', states: statesOfIdentity, trail, clock, log });
  const closing: (() => Promise<void> | void)[] = [() => sequencer.stop(), () => watch.stop()];

  const entries = {
    newest: (transaction: Parameters<typeof readNewestPosition>[0]) => readNewestPosition(transaction, 'entries'),
    async read(transaction: Parameters<typeof readOnward>[0], after: number) {
      const rows = await readOnward(transaction, after, itemsAtOnce);
      return { items: rows.map(toEntry), last: Number(rows.at(-1)?.position ?? after) };
    },
  };
  const { webhook, checkpoint_webhook: anchor, webhook_secret: secret = '', syslog } = settings;
  if (webhook !== undefined) {
    const sender = createWebhookSender({ url: webhook, secret, egress, clock });
    const stream = startStream(parts, {
      name: 'webhook',
      ...entries,
      send: (items, last) => sender.send(`audit_${last}`, 'audit.entries-sealed', { entries: items }),
    });
    closing.push(() => stream.stop());
  }
  if (anchor !== undefined) {
    const sender = createWebhookSender({ url: anchor, secret, egress, clock });
    const stream = startStream(parts, {
      name: 'checkpoint-webhook',
      newest: (transaction) => readNewestPosition(transaction, 'checkpoints'),
      async read(transaction, after) {
        const rows = await readCheckpointsOnward(transaction, after, itemsAtOnce);
        const items = rows.map(({ body, key, signature }) => ({ body, key, signature }));
        return { items, last: Number(rows.at(-1)?.position ?? after) };
      },
      send: async (items, last) =>
        sender.send(`checkpoint_${last}`, 'audit.checkpoints-signed', { checkpoints: items, keys: await keys.list() }),
    });
    closing.push(() => stream.stop());
  }
  if (syslog !== undefined) {
    const socket = createSyslogSocket(syslog, settings.allow);
    const host =
      hostname()
        .replace(/[^\x21-\x7e]/g, '')
        .slice(0, 255) || '-';
    const stream = startStream(parts, {
      name: 'syslog',
      ...entries,
      send: (items) => socket.send(items.map((item) => toSyslogMessage(item, host))),
    });
    closing.push(async () => {
      await stream.stop();
      socket.close();
    });
  }
  return {
    pass: sequencer.pass,
    look: watch.look,
    async stop() {
      await Promise.all(closing.map((close) => close()));
    },
  };
}
