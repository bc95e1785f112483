import type { IncomingMessage } from 'node:http';
import { listen } from '../../server/src/gateway/listen.ts';
import { type GatewayOptions, openGateway } from '../../server/src/gateway/open-gateway.ts';
import type { CallContext } from '../../server/src/platform/call.ts';
import { systemClock } from '../../server/src/platform/clock.ts';
import { createMetrics } from '../../server/src/platform/metrics.ts';
import type { TwoWorkspaces } from './two-workspaces.ts';

export type Clients = GatewayOptions['clients'];
export type AnyCall = (context: CallContext, input: unknown) => Promise<unknown>;

/** What is planted in the edge: other services behind it, another permission, or a request that was changed before it is looked at. */
export interface Planted {
  readonly clients?: Clients;
  readonly permissionOf?: GatewayOptions['permissionOf'];
  readonly change?: (request: IncomingMessage) => void;
}

/** Asks through an edge of its own, so that the platform itself stays as it is. */
export async function behindGateway<Result>(
  world: TwoWorkspaces,
  { clients, permissionOf, change }: Planted,
  work: (world: TwoWorkspaces) => Promise<Result>,
): Promise<Result> {
  const { floor, config } = world.platform;
  const origins: string[] = [];
  const gateway = await openGateway({
    clients: clients ?? (world.platform.clients as unknown as Clients),
    database: floor.database,
    metrics: createMetrics(),
    clock: systemClock,
    log: floor.log,
    version: '0.0.0-test',
    concurrency: config.http.concurrency,
    checks: [],
    origins: () => origins,
    ...(permissionOf ? { permissionOf } : {}),
  });
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    handle: (request, response) => {
      change?.(request);
      gateway.dispatch.handle(request, response);
    },
    clock: systemClock,
    maxConnections: 1_000,
  });
  origins.push(listener.url);
  try {
    return await work(world.at(listener.url));
  } finally {
    await listener.drain(0);
    await gateway.stop();
  }
}

/** The services of a world with one call replaced. */
export function replaceCall(
  world: TwoWorkspaces,
  service: string,
  name: string,
  by: (real: AnyCall) => AnyCall,
): Clients {
  const clients = world.platform.clients as unknown as Clients;
  const real = clients[service]?.[name] as AnyCall;
  return { ...clients, [service]: { ...clients[service], [name]: by(real) } };
}
