import { AppError } from '../app-error.ts';
import type { Clock } from '../clock.ts';
import type { Egress, EgressAnswer } from '../egress/egress.ts';
import { encodeName, type StoreCredentials, signRequest } from './sign-request.ts';

export interface StoreObject {
  readonly bucket: string;
  readonly key: string;
}

export interface StoreRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly object: StoreObject;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Bytes of the answer. */
  readonly maxBytes?: number;
  /** Statuses beside 2xx that the caller understands. */
  readonly expects?: readonly number[];
}

/** Sends signed requests to an S3-compatible store. What may pass by is tried again. Errors: `unavailable`. */
export type StoreClient = (request: StoreRequest) => Promise<EgressAnswer>;

const attempts = 4;
const totalMs = 10 * 60_000;
const nothing = Buffer.alloc(0);

export function createStoreClient(options: {
  egress: Egress;
  clock: Clock;
  credentials: StoreCredentials;
  /** Where the store is, when it is not AWS. */
  endpoint: string | undefined;
}): StoreClient {
  const { egress, clock, credentials, endpoint } = options;
  return async (request) => {
    const url = addressOf(request, endpoint, credentials.region);
    for (let attempt = 1; ; attempt++) {
      const answer = await send(url, request).catch((error: unknown) => {
        if (attempt === attempts) throw error;
      });
      const passing = !answer || answer.status === 429 || answer.status >= 500;
      if (answer && (!passing || attempt === attempts)) return accept(answer, request);
      await clock.sleep(250 * 4 ** (attempt - 1));
    }
  };

  function send(url: URL, { method, headers, body, maxBytes }: StoreRequest): Promise<EgressAnswer> {
    const toSign = { method, url, body: body ?? nothing, at: clock.now(), ...(headers ? { headers } : {}) };
    return egress.request(url.href, {
      method,
      headers: signRequest(toSign, credentials),
      ...(body ? { body } : {}),
      // The operator named the store in the server's own settings.
      trusted: true,
      redirects: 0,
      totalMs,
      maxBytes: maxBytes ?? 1024 * 1024,
    });
  }
}

// By path where somebody else runs the store, or the bucket's dots would not fit a certificate; else by name, as AWS asks.
function addressOf({ object, query }: StoreRequest, endpoint: string | undefined, region: string): URL {
  const key = object.key.split('/').map(encodeName).join('/');
  const byPath = endpoint !== undefined || object.bucket.includes('.');
  const origin = endpoint ?? `https://${byPath ? '' : `${object.bucket}.`}s3.${region}.amazonaws.com`;
  const pairs = Object.entries(query ?? {}).map(([name, value]) => `${encodeName(name)}=${encodeName(value)}`);
  const path = byPath ? `${object.bucket}/${key}` : key;
  return new URL(`${origin.replace(/\/+$/, '')}/${path}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`);
}

const advice: Readonly<Record<number, string>> = {
  301: 'The bucket is in another region. Set AWS_REGION to it.',
  307: 'The bucket is in another region. Set AWS_REGION to it.',
  400: 'Check AWS_REGION and the name of the bucket.',
  403: 'The store refuses this key. Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and what the key may do.',
  404: 'There is no such bucket or object. Check the address.',
  412: 'The object was replaced while it was read. Try again.',
};

function accept(answer: EgressAnswer, { object, expects }: StoreRequest): EgressAnswer {
  // A 200 may still hold an error: parts are put together after the first byte has gone out.
  const code = /<Error>[\s\S]*?<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(answer.body.toString('latin1', 0, 2_000))?.[1];
  const fine = answer.status < 300 && code === undefined;
  if (fine || expects?.includes(answer.status)) return answer;
  throw new AppError(
    'unavailable',
    `s3://${object.bucket}/${object.key}: the store answered ${answer.status}${code ? ` ${code}` : ''}. ${advice[answer.status] ?? 'Try again, or ask who runs it.'}`,
  );
}
