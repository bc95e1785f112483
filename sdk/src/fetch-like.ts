import type { ByteStream } from './server-sent-events.ts';

/** What the sdk needs of an answer; a `Response` has it. */
export interface FetchResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: ByteStream | null;
  text(): Promise<string>;
}

/** What the sdk needs of `fetch`, so that another transport can take its place. It rejects when no answer came. */
export type Fetch = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: Record<string, string>;
    /** Pieces of a stream are sent as they come; `duplex` says so beside it, as the Fetch standard wants. */
    readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
    readonly duplex?: 'half';
    readonly signal: AbortSignal;
    readonly redirect: 'manual';
  },
) => Promise<FetchResponse>;
