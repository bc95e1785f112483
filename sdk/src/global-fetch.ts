import type { Fetch } from './fetch-like.ts';

/** The platform's own `fetch`. It takes a stream only as a `ReadableStream`, and only when told that it is one. */
export const globalFetch: Fetch = (url, { body, ...init }) => {
  if (body === undefined) return globalThis.fetch(url, init);
  if (typeof body === 'string' || body instanceof Uint8Array) return globalThis.fetch(url, { ...init, body });
  const pieces = body[Symbol.asyncIterator]();
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await pieces.return?.();
    },
  });
  return globalThis.fetch(url, { ...init, body: stream, duplex: 'half' } as RequestInit);
};
