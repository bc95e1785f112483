import type { Dispatcher } from 'undici';
import { AppError } from '../app-error.ts';
import type { Clock } from '../clock.ts';
import { denied, type Guard } from './guard.ts';
import type { Pools } from './pools.ts';

export interface FollowOptions {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly signal?: AbortSignal;
  /** The operator named the origin of this address. Does not extend to where it redirects. */
  readonly trusted?: boolean;
  readonly firstByteMs?: number;
  /** Between two pieces of the body. */
  readonly idleMs?: number;
  /** Redirects that are followed; 5 by default. With 0 the redirect itself is the answer. */
  readonly redirects?: number;
}

export interface Followed {
  readonly url: URL;
  readonly answer: Dispatcher.ResponseData;
}

/** Headers that say nothing about who asks; all others stay behind when a redirect leaves the origin. */
const harmless = new Set(['accept', 'accept-language', 'content-type', 'range', 'user-agent']);

/** Answers of 1xx before the real one. Each lets the wait for the first byte begin anew, so their number is bounded. */
export const mostEarly = 20;

interface Hop {
  readonly url: URL;
  readonly method: NonNullable<FollowOptions['method']>;
  readonly headers: Record<string, string>;
  readonly body: string | Buffer | null;
}

/** Sends a request and follows redirects, each judged like the first address. */
export async function follow(
  parts: { guard: Guard; pools: Pools },
  target: string,
  options: FollowOptions,
): Promise<Followed> {
  const { guard, pools } = parts;
  const trustedOrigin = options.trusted === true && URL.canParse(target) ? new URL(target).origin : null;
  const check = (address: string) => {
    const url = URL.canParse(address) ? new URL(address) : null;
    return url !== null && url.origin === trustedOrigin ? url : guard.checkUrl(address);
  };
  const most = options.redirects ?? 5;
  let hop: Hop = {
    url: check(target),
    method: options.method ?? 'GET',
    headers: lowerCase(options.headers ?? {}),
    body: options.body ?? null,
  };
  for (let followed = 0; ; followed++) {
    const { url } = hop;
    let early = 0;
    const pool = pools.of(url.origin, { trusted: url.origin === trustedOrigin }).live();
    const answer = await pool.request({
      path: url.pathname + url.search,
      method: hop.method,
      headers: hop.headers,
      body: hop.body,
      headersTimeout: options.firstByteMs ?? 60_000,
      bodyTimeout: options.idleMs ?? 30_000,
      onInfo() {
        if (++early > mostEarly) throw new AppError('unavailable', `${url.host} answers without coming to an end.`);
      },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const location = isRedirect(answer.statusCode) ? answer.headers.location : undefined;
    if (typeof location !== 'string' || most === 0) return { url, answer };
    answer.body.on('error', () => undefined).destroy();
    if (followed >= most) throw denied(`${url.host} redirects more than ${most} times.`);
    hop = nextHop(hop, answer.statusCode, location, check);
  }
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

function nextHop(hop: Hop, status: number, location: string, check: (address: string) => URL): Hop {
  if (!URL.canParse(location, hop.url.href)) throw denied(`${hop.url.host} redirects to something that is no address.`);
  const url = check(new URL(location, hop.url).href);
  if (hop.url.protocol === 'https:' && url.protocol !== 'https:') {
    throw denied(`${hop.url.host} redirects from https to http. Enter the address that it leads to, with https.`);
  }
  const keeps = status === 307 || status === 308 || hop.method === 'GET' || hop.method === 'HEAD';
  const leaves = url.origin !== hop.url.origin;
  if (keeps && leaves && hop.body !== null) {
    throw denied(
      `${hop.url.host} redirects a request with a body to another host. Enter the address that it leads to.`,
    );
  }
  const headers = Object.entries(hop.headers).filter(([name]) => !leaves || harmless.has(name));
  return {
    url,
    method: keeps ? hop.method : 'GET',
    headers: Object.fromEntries(headers.filter(([name]) => keeps || name !== 'content-type')),
    body: keeps ? hop.body : null,
  };
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Aborts with an AppError after `ms`, or with the reason of `signal`. `stop` when the work is over. */
export function deadline(clock: Clock, ms: number, host: string, signal: AbortSignal | undefined) {
  const control = new AbortController();
  const onAbort = () => control.abort(signal?.reason);
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer = clock.after(ms, () => {
    control.abort(new AppError('unavailable', `${host} did not answer completely within ${ms} ms.`));
  });
  return {
    signal: control.signal,
    stop() {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

/** What the caller gets when the other side or the line to it fails. */
export function fromNetwork(error: unknown, host: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (error instanceof AppError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const reason = typeof code === 'string' ? code : String(message).slice(0, 200);
  return new AppError(
    'unavailable',
    `${host} could not be reached or broke off (${reason}). Check the address and try again.`,
    {},
    {
      cause: error,
    },
  );
}
