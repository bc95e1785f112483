import type { HttpClient } from 'isomorphic-git';
import type { AppError } from '#platform/app-error.ts';
import { fromWireError } from '#platform/rpc/wire.ts';
import type { PlannerRequest, ToPlanner } from './plan-messages.ts';

type Answer = Extract<ToPlanner, { answer: number }>;

interface Waiting {
  readonly pieces: Uint8Array[];
  head: ((answer: Extract<Answer, { status: number }>) => void) | undefined;
  wake: (() => void) | undefined;
  ended: boolean;
  failure: AppError | undefined;
  fail: (error: AppError) => void;
}

const discovery = '/info/refs?service=git-upload-pack';

/**
 * The library's way out of the thread: it asks the main thread, whose egress guard judges every address and hop. Where the first
 * question was redirected, the second one goes there too, as git itself does.
 */
export function createGitTransport(ask: (call: number, request: PlannerRequest) => void) {
  const calls = new Map<number, Waiting>();
  let last = 0;
  let moved: { readonly from: string; readonly to: string } | undefined;

  const request: HttpClient['request'] = async ({ url, method = 'GET', headers = {}, body }) => {
    const call = ++last;
    const target = moved && url.startsWith(moved.from) ? moved.to + url.slice(moved.from.length) : url;
    const sent = body ? await collect(body) : null;
    const head = await new Promise<Extract<Answer, { status: number }>>((resolve, reject) => {
      calls.set(call, { pieces: [], head: resolve, wake: undefined, ended: false, failure: undefined, fail: reject });
      ask(call, {
        url: target,
        method: method === 'POST' ? 'POST' : 'GET',
        headers: headers as Record<string, string>,
        body: sent,
      });
    });
    if (url.endsWith(discovery) && head.url.endsWith(discovery) && head.url !== url) {
      moved = { from: url.slice(0, -discovery.length), to: head.url.slice(0, -discovery.length) };
    }
    return {
      url: head.url,
      method,
      headers: head.headers,
      statusCode: head.status,
      statusMessage: '',
      body: read(calls.get(call) as Waiting),
    };
  };

  return {
    http: { request } satisfies HttpClient,
    hear(answer: Answer): void {
      const waiting = calls.get(answer.answer);
      if (!waiting) return;
      if ('status' in answer) waiting.head?.(answer);
      else if ('piece' in answer) waiting.pieces.push(answer.piece);
      else if ('ended' in answer) waiting.ended = true;
      else {
        waiting.failure = fromWireError(answer.failed);
        waiting.fail(waiting.failure);
      }
      waiting.wake?.();
    },
  };
}

async function* read(waiting: Waiting): AsyncIterableIterator<Uint8Array> {
  for (;;) {
    if (waiting.failure) throw waiting.failure;
    const piece = waiting.pieces.shift();
    if (piece) yield piece;
    else if (waiting.ended) return;
    else
      await new Promise<void>((resolve) => {
        waiting.wake = resolve;
      });
  }
}

async function collect(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}
