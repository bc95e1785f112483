import { createHash, randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Companion } from './companion.ts';
import type { Address, Composition, OwnService } from './compose.ts';
import type { Config } from './config.ts';
import type { Floor } from './open-floor.ts';
import { AppError } from './platform/app-error.ts';
import type { Clock } from './platform/clock.ts';
import { createDrain } from './platform/drain-server.ts';
import type { Log } from './platform/log.ts';
import { listenFailure } from './platform/metrics.ts';
import { createJsonWorkers } from './platform/parse-in-worker.ts';
import { serveCalls } from './platform/rpc/serve-calls.ts';

/** Where a service is that does not run here; null when this process has no use for it. */
export function addressOf(
  service: OwnService,
  config: Config,
  companion: Companion | undefined,
  socketPath: string,
  edge: boolean,
): Address | null {
  if (companion) return { origin: 'http://companion', socketPath };
  const origin = service === 'identity' ? config.services.identity_url : config.services.pattern_url;
  if (origin !== undefined) return { origin };
  if (!edge) return null;
  throw new AppError(
    'invalid_request',
    `Nothing serves ${service}. Add it to --services, or give its address with DAMASK_${service.toUpperCase()}_URL.`,
  );
}

/** What signs calls between processes. Processes that find each other by address must be given the same one. */
export function readSecret(config: Config, spread: boolean): Buffer {
  const given = config.services.secret;
  const needed = spread && (config.services.listen ?? config.services.identity_url ?? config.services.pattern_url);
  if (given === undefined) {
    if (!needed) return randomBytes(32);
    throw new AppError('invalid_request', 'Processes that call each other need the same DAMASK_SERVICE_SECRET.');
  }
  if (given.length < 32 || new Set(given).size < 8) {
    throw new AppError('invalid_request', 'DAMASK_SERVICE_SECRET must be 32 random characters or more.');
  }
  return createHash('sha256').update(given).digest();
}

/** Where this process takes calls of others. */
export interface ServiceListener {
  /** host:port */
  readonly address: string;
  /** Takes no new connections, lets calls end for `milliseconds`, then closes what is left. */
  drain(milliseconds: number): Promise<void>;
}

/** Takes calls of other processes for the services here. */
export async function listenForServices(
  config: Config,
  here: readonly string[],
  composition: Composition,
  { tokens, log, clock }: Floor,
): Promise<ServiceListener> {
  const services = Object.fromEntries(here.map((service) => [service, composition.clients[service] as never]));
  const workers = createJsonWorkers({ size: 1 });
  const server = serveCalls({
    services,
    tokens,
    log,
    ready: (service) => (service === 'pattern' ? (composition.pattern?.ready() ?? null) : null),
    parseLarge: (bytes) => workers.parse(bytes),
  });
  const drain = createDrain(server, clock);
  const [host, port] = splitAddress(config.services.listen as string);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenFailure(error, host, port, 'DAMASK_SERVICE_LISTEN')));
    server.listen(port, host, resolve);
  });
  return {
    address: `${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`,
    async drain(milliseconds) {
      await drain(milliseconds);
      await workers.close();
    },
  };
}

/** Other processes may come up later than the edge, which then waits for them and says so. */
export async function waitForServices(
  elsewhere: Composition['elsewhere'],
  { clock, log, signal }: { clock: Clock; log: Log; signal: AbortSignal },
): Promise<void> {
  for (let told = ''; ; ) {
    const answers = await Promise.all(Object.values(elsewhere).map((ready) => ready()));
    const reason = answers.filter((answer) => answer !== null).join(' ');
    if (reason === '') return;
    signal.throwIfAborted();
    if (reason !== told) log.warn('The edge waits for other services', { reason });
    told = reason;
    await clock.sleep(200);
  }
}

function splitAddress(text: string): [host: string, port: number] {
  const match = /^(.+):(\d{1,5})$/.exec(text);
  if (match) return [(match[1] as string).replace(/^\[|\]$/g, ''), Number(match[2])];
  throw new AppError('invalid_request', 'DAMASK_SERVICE_LISTEN is host:port, such as 10.0.0.5:7450.');
}
