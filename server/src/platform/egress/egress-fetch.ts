import type { Egress } from './egress.ts';
import type { FollowOptions } from './follow.ts';

/** What the libraries that we hand this to ask for: a part of the web's `fetch`. */
export interface EgressFetchInit {
  readonly method?: string | undefined;
  readonly headers?: Headers | Readonly<Record<string, string>> | undefined;
  readonly body?: unknown;
  readonly signal?: AbortSignal | null | undefined;
}

export interface EgressFetchOptions {
  /** For everything together. */
  readonly totalMs: number;
  readonly maxBytes: number;
}

/**
 * The web's `fetch` through the guard, for libraries that bring no sockets of their own. Redirects are answers, not
 * followed. Errors: those of `Egress`.
 */
export function createEgressFetch(
  egress: Egress,
  { totalMs, maxBytes }: EgressFetchOptions,
): (url: string | URL, init?: EgressFetchInit) => Promise<Response> {
  return async (url, init = {}) => {
    const body = readBody(init.body);
    const { status, headers, ...answer } = await egress.request(String(url), {
      method: (init.method ?? 'GET') as NonNullable<FollowOptions['method']>,
      headers: Object.fromEntries(new Headers(init.headers)),
      ...(body === undefined ? {} : { body }),
      ...(init.signal ? { signal: init.signal } : {}),
      redirects: 0,
      totalMs,
      maxBytes,
    });
    const taken = new Headers();
    for (const [name, value] of Object.entries(headers)) {
      for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) taken.append(name, one);
    }
    const empty = status === 204 || status === 205 || status === 304;
    return new Response(empty ? null : new Uint8Array(answer.body), { status, headers: taken });
  };
}

function readBody(body: unknown): string | Buffer | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string') return body;
  if (body instanceof URLSearchParams) return body.toString();
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  throw new TypeError('This fetch takes texts, forms and bytes only.');
}
