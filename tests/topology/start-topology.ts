import { systemClock } from '../../server/src/platform/clock.ts';
import { testDatabase } from '../../server/src/platform/testing/postgres.ts';
import { createCaller, type Home, makeHome, readKey, type ServerProcess, startServer } from '../e2e/server-process.ts';

export interface Topology {
  readonly url: string;
  /** Of the owner. */
  readonly key: string;
  /** By the services that each runs. */
  readonly processes: Readonly<Record<string, ServerProcess>>;
  stop(): Promise<void>;
}

type Environment = Readonly<Record<string, string>>;

const secret = 'of-one-installation-0123456789abcdef';

/** Everything in one process: `serve --services gateway,pattern,identity`. */
export async function startOneProcess(environment: Environment): Promise<Topology> {
  return start(environment, async (home, given) => ({
    all: startServer(home, { args: ['serve', '--services', 'gateway,pattern,identity'], environment: given }),
  }));
}

/** As `npm start` does it, with its embedded database. */
export async function startTwoProcesses(environment: Environment): Promise<Topology> {
  const home = await makeHome();
  const server = startServer(home, { environment: { ...environment } });
  return finish(home, server, { edge: server }, async () => undefined);
}

/** Identity alone, the edge and the run path together. */
export async function startIdentityApart(environment: Environment): Promise<Topology> {
  return start(environment, async (home, given) => {
    const identity = startPart(home, given, 'identity', listening);
    const edge = startPart(home, given, 'gateway,pattern', { DAMASK_IDENTITY_URL: await addressOf(identity) });
    return { identity, edge };
  });
}

/** Gateway, pattern and identity each alone, with calls between them over loopback. */
export async function startThreeProcesses(environment: Environment): Promise<Topology> {
  return start(environment, async (home, given) => {
    const identity = startPart(home, given, 'identity', listening);
    const pattern = startPart(home, given, 'pattern', listening);
    const gateway = startPart(home, given, 'gateway', {
      DAMASK_IDENTITY_URL: await addressOf(identity),
      DAMASK_PATTERN_URL: await addressOf(pattern),
    });
    return { identity, pattern, gateway };
  });
}

/** The edge, identity, the interface of runs without a worker, and a worker that nobody can call. */
export async function startFourProcesses(environment: Environment): Promise<Topology> {
  return start(environment, async (home, given) => {
    const identity = startPart(home, given, 'identity', listening);
    const pattern = startPart(home, given, 'pattern', { ...listening, DAMASK_WORKER_SLOTS: '0' });
    const patternAddress = await addressOf(pattern);
    const worker = startPart(home, given, 'pattern', {});
    await worker.event('serving');
    const gateway = startPart(home, given, 'gateway', {
      DAMASK_IDENTITY_URL: await addressOf(identity),
      DAMASK_PATTERN_URL: patternAddress,
    });
    return { identity, pattern, worker, gateway };
  });
}

const listening = { DAMASK_SERVICE_LISTEN: '127.0.0.1:0' };
const addressOf = async (process: ServerProcess) => `http://${(await process.event('serving')).address}`;

function startPart(home: Home, environment: Environment, services: string, more: Environment): ServerProcess {
  return startServer(home, {
    args: ['serve', '--services', services],
    environment: { ...environment, DAMASK_SERVICE_SECRET: secret, ...more },
  });
}

/** With an external database. The last process is the one with the edge. */
async function start(
  environment: Environment,
  begin: (home: Home, environment: Record<string, string>) => Promise<Record<string, ServerProcess>>,
): Promise<Topology> {
  const home = await makeHome();
  const database = await testDatabase();
  const processes = await begin(home, { ...environment, DAMASK_DATABASE_URL: database.url });
  return finish(home, Object.values(processes).at(-1) as ServerProcess, processes, () => database.drop());
}

async function finish(
  home: Home,
  edge: ServerProcess,
  processes: Readonly<Record<string, ServerProcess>>,
  after: () => Promise<void>,
): Promise<Topology> {
  const { url = '', instance = '' } = await edge.event('ready');
  const key = await readKey(home, instance);
  // Where the run path is elsewhere, it hears of a new workspace a moment later.
  const call = createCaller(url, key);
  while ((await call('GET', '/v1/patterns')).body.items.length === 0) await systemClock.sleep(50);
  return {
    url,
    key,
    processes,
    async stop() {
      for (const process of Object.values(processes).reverse()) await process.stop();
      await after();
      await home.remove();
    },
  };
}
