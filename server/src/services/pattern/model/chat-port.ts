import type { Dispatcher } from 'undici';
import { Exchange } from './chat-exchange.ts';
import type { ExchangeOptions } from './exchange-options.ts';
import type { ModelPort } from './model-call.ts';
import type { Protocol } from './protocol.ts';

export interface PortOptions extends ExchangeOptions {
  /** A guarded connection pool to the provider's origin. */
  readonly pool: Pick<Dispatcher, 'dispatch'>;
}

/** Speaks `protocol` over the pool. */
export function createPort(options: PortOptions, protocol: Protocol): ModelPort {
  const { pool } = options;
  const { headers } = protocol;
  return {
    call(request) {
      const exchange = new Exchange(options, protocol, request);
      try {
        const { path, body } = protocol.write(request);
        pool.dispatch({ path, method: 'POST', headers, body, headersTimeout: 0, bodyTimeout: 0 }, exchange);
      } catch (error) {
        exchange.onResponseError(undefined, error as Error);
      }
      return exchange;
    },
  };
}
