import { AppError } from '../app-error.ts';
import type { Clock } from '../clock.ts';
import type { Egress, EgressAnswer } from '../egress/egress.ts';

export interface KeyServiceRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** Sends one request to the keeper of a key and answers whatever it says, also its refusals. */
export type AskKeyService = (make: () => KeyServiceRequest) => Promise<EgressAnswer>;

const attempts = 3;
/** All attempts together: who waits for a key waits with a request open. */
const totalMs = 5_000;
const firstWaitMs = 100;
const longestAnswer = 64 * 1024;

/**
 * Asks again what may pass by: no answer, 429 and 5xx, and what `passing` says of an answer. A request is made anew for each
 * attempt, since signatures carry the time. Errors: `unavailable` when no answer came within 5 seconds.
 */
export function createKeyServiceClient(options: {
  egress: Egress;
  clock: Clock;
  passing?: (answer: EgressAnswer) => boolean;
}): AskKeyService {
  const { egress, clock, passing = () => false } = options;
  return async (make) => {
    const until = clock.monotonic() + totalMs;
    for (let attempt = 1; ; attempt++) {
      const { method, url, headers, body } = make();
      const left = until - clock.monotonic();
      const last = attempt === attempts || left < totalMs / 10;
      const answer = await egress
        .request(url.href, {
          method,
          headers,
          ...(body ? { body } : {}),
          // The operator named the keeper in the server's own settings.
          trusted: true,
          redirects: 0,
          totalMs: Math.max(1, left),
          maxBytes: longestAnswer,
        })
        .catch((error: unknown) => {
          if (last || clock.monotonic() >= until) throw error;
        });
      if (answer && (last || !(answer.status === 429 || answer.status >= 500 || passing(answer)))) return answer;
      await clock.sleep(Math.min(firstWaitMs * 4 ** (attempt - 1), Math.max(0, until - clock.monotonic())));
    }
  };
}

export function readJson(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8') || '{}');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** A field that must be there. Errors: `unavailable` for an answer of another form. */
export function textOf(fields: Record<string, unknown>, name: string, who: string): string {
  const value = fields[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new AppError('unavailable', `${who} answered without ${name}. Check that its address is that of the service.`);
}

/** Bytes of a data key from an answer. Errors: `unavailable` when they are none. */
export function keyBytesOf(text: string, who: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 32) return bytes;
  throw new AppError(
    'unavailable',
    `${who} answered something that is no data key. Check which key it was told to use.`,
  );
}
