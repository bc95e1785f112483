import { rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { CompanionOrders } from './companion.ts';
import { type Composition, compose } from './compose.ts';
import { type Config, readConfig } from './config.ts';
import { type Floor, openFloor } from './open-floor.ts';
import { createRoles } from './platform/database/roles.ts';
import { serveCalls } from './platform/rpc/serve-calls.ts';
import { createServerLog, surviveSurprises } from './server-log.ts';

/** The second process: services that are not on the run path. It lives exactly as long as the process that started it. */
export async function serveCompanion(): Promise<void> {
  const config = readConfig();
  const orders = await new Promise<CompanionOrders>((resolve) =>
    process.once('message', (message) => resolve(message as CompanionOrders)),
  );
  let running: { floor: Floor; composition: Composition; server: Server } | undefined;
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    running?.server.close();
    running?.server.closeIdleConnections();
    await running?.composition.stop(config.http.drain_ms);
    await running?.floor.close();
    process.exit(0);
  };
  process.once('disconnect', () => process.exit(0));
  process.on('SIGTERM', () => void stop());
  // In a terminal Ctrl-C reaches both processes; the first one tells this one when to stop.
  process.on('SIGINT', () => undefined);
  try {
    running = await open(config, orders);
    process.send?.({ event: 'serving' });
  } catch (error) {
    process.send?.({ event: 'failed', detail: (error as Error).message });
    process.exitCode = 1;
    process.disconnect();
  }
}

async function open(config: Config, orders: CompanionOrders) {
  const { log, redact } = createServerLog(config, 'companion');
  surviveSurprises(log);
  const floor = await openFloor({
    config,
    connection: orders.connection,
    roles: createRoles(orders.database, orders.separateRoles, String(orders.connection.user)),
    mayMakeKey: false,
    secret: Buffer.from(orders.secret, 'base64'),
    log,
    redact,
  });
  const composition = await compose({
    here: orders.services,
    addressOf: () => null,
    floor,
    config,
    models: { environmentProviders: () => [], localModel: null },
    door: { copy: false, checkOutput: false },
  });
  const services = Object.fromEntries(
    orders.services.map((service) => [service, composition.clients[service] as never]),
  );
  const server = serveCalls({ services, tokens: floor.tokens, log });
  await rm(orders.socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(orders.socketPath, resolve);
  });
  return { floor, composition, server };
}
