import { createHash, randomBytes } from 'node:crypto';
import type { Companion } from './companion.ts';
import type { Address, Composition, OwnService } from './compose.ts';
import type { Config } from './config.ts';
import type { Floor } from './open-floor.ts';
import { AppError } from './platform/app-error.ts';
import { listenFailure } from './platform/metrics.ts';
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

/** Takes calls of other processes for the services here. Answers how to stop. */
export async function listenForServices(
  config: Config,
  here: readonly string[],
  composition: Composition,
  floor: Floor,
): Promise<() => Promise<void>> {
  const services = Object.fromEntries(here.map((service) => [service, composition.clients[service] as never]));
  const server = serveCalls({ services, tokens: floor.tokens, log: floor.log });
  const [host, port] = splitAddress(config.services.listen as string);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenFailure(error, host, port, 'DAMASK_SERVICE_LISTEN')));
    server.listen(port, host, resolve);
  });
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
}

function splitAddress(text: string): [host: string, port: number] {
  const match = /^(.+):(\d{1,5})$/.exec(text);
  if (match) return [(match[1] as string).replace(/^\[|\]$/g, ''), Number(match[2])];
  throw new AppError('invalid_request', 'DAMASK_SERVICE_LISTEN is host:port, such as 10.0.0.5:7450.');
}
