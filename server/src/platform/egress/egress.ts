// PLACEHOLDER until the guarded module arrives (being written): overwrite freely.
import { Pool } from 'undici';
import type { Clock } from '../clock.ts';

export interface EgressResponse {
  readonly status: number;
  readonly body: Buffer;
}

export interface Egress {
  check(url: string): void;
  pool(origin: string, options?: { trusted?: boolean; socketPath?: string }): Pool;
  request(url: string, options: { trusted?: boolean; totalMs: number; maxBytes: number }): Promise<EgressResponse>;
  download(url: string, request: { signal: AbortSignal }): Promise<{ total: number | null; body: AsyncIterable<Buffer> }>;
  close(): Promise<void>;
}

export function createEgress(_: { allow: readonly string[]; clock: Clock }): Egress {
  const pools: Pool[] = [];
  const pool: Egress['pool'] = (origin, options = {}) => {
    const made = new Pool(origin, { connections: 256, connect: { timeout: 5_000, ...(options.socketPath ? { socketPath: options.socketPath } : {}) } });
    pools.push(made);
    return made;
  };
  return {
    check: () => undefined,
    pool,
    async request(url) {
      const { origin, pathname } = new URL(url);
      const response = await pool(origin).request({ path: pathname, method: 'GET', headersTimeout: 1_000 });
      return { status: response.statusCode, body: Buffer.from(await response.body.arrayBuffer()) };
    },
    async download(url) {
      const { origin, pathname } = new URL(url);
      const response = await pool(origin).request({ path: pathname, method: 'GET' });
      return { total: null, body: response.body };
    },
    async close() {
      await Promise.all(pools.map((one) => one.destroy()));
    },
  };
}
