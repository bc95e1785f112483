import { createHmac } from 'node:crypto';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import type { Egress } from '#platform/egress/egress.ts';

export interface WebhookSender {
  /** `id` stays the same when it is sent again. Errors: `unavailable`, `egress_denied`. */
  send(id: string, type: string, data: object): Promise<void>;
}

const within = 15_000;

/** Signs as Standard Webhooks 1.0 says: `v1,` and HMAC-SHA256 over id, time and body; the secret is `whsec_` and base64. */
export function createWebhookSender(options: {
  readonly url: string;
  readonly secret: string;
  readonly egress: Pick<Egress, 'request'>;
  readonly clock: Clock;
}): WebhookSender {
  const { url, egress, clock } = options;
  const key = Buffer.from(options.secret.replace(/^whsec_/, ''), 'base64');
  return {
    async send(id, type, data) {
      const seconds = Math.floor(clock.now() / 1_000);
      const body = JSON.stringify({ type, timestamp: new Date(seconds * 1_000).toISOString(), data });
      const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
      const { status } = await egress.request(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'webhook-id': id,
          'webhook-timestamp': String(seconds),
          'webhook-signature': `v1,${signature}`,
        },
        body,
        redirects: 0,
        totalMs: within,
        maxBytes: 64 * 1024,
      });
      if (status >= 200 && status <= 299) return;
      throw new AppError(
        'unavailable',
        `The receiver of the audit log answered ${status}. Check DAMASK_AUDIT_WEBHOOK.`,
      );
    },
  };
}
