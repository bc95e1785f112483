import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from 'rabbitmq-client';
import { type Child, startChild } from '../child-process.ts';
import { systemClock } from '../clock.ts';

/** A real RabbitMQ of one node, on loopback, in a folder of its own. */
export interface RabbitmqServer {
  readonly url: string;
  /** Runs `rabbitmqctl`; answers what it printed. */
  control(...args: string[]): Promise<string>;
  kill(): Promise<void>;
  /** Starts it again where it was killed. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const program = '/usr/lib/rabbitmq/bin/rabbitmq-server';
const controlProgram = '/usr/lib/rabbitmq/bin/rabbitmqctl';

/** Milliseconds. */
const startWithin = 60_000;

/** Why the tests with RabbitMQ cannot run here, and what helps; false when they can. */
export const withoutRabbitmq: string | false = existsSync(program)
  ? false
  : 'RabbitMQ is missing; `apt-get install -y rabbitmq-server` enables this test';

export async function startRabbitmq(): Promise<RabbitmqServer> {
  const folder = await mkdtemp(join(tmpdir(), 'damask-rabbit-'));
  const ids = await ownIds();
  const [port, epmd, distribution] = (await freePorts(3)) as [number, number, number];
  const url = `amqp://guest:guest@127.0.0.1:${port}/`;
  const log = join(folder, 'log');
  await mkdir(log);
  const config = join(folder, 'rabbitmq.conf');
  await writeFile(config, `listeners.tcp.1 = 127.0.0.1:${port}\nloopback_users = none\nlog.file.level = error\n`);
  await writeFile(join(folder, 'plugins'), '[].\n');
  // The folder is its home, where Erlang keeps its cookie.
  await chmod(folder, 0o700);
  if (ids) for (const path of [folder, log, config, join(folder, 'plugins')]) await chown(path, ids.uid, ids.gid);
  const env = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: folder,
    LANG: 'C.UTF-8',
    RABBITMQ_NODENAME: `damask${port}@localhost`,
    RABBITMQ_BASE: folder,
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: log,
    RABBITMQ_CONFIG_FILE: config,
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    ERL_EPMD_PORT: String(epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
  };
  let child: Child | undefined;
  const run = async (command: string, args: readonly string[]) => {
    const started = await startChild({ command, args, env, cwd: folder, stdio: ['ignore', 'pipe', 'ignore'], ...ids });
    let printed = '';
    started.stdout?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    const { code } = await started.exited;
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`);
    return printed;
  };

  async function start() {
    child = await startChild({ command: program, env, cwd: folder, ...ids });
    const client = new Connection({ url, retryLow: 100, retryHigh: 200 });
    client.on('error', () => undefined);
    await client.onConnect(startWithin);
    await client.close();
  }
  async function kill() {
    const pid = Number(await readFile(join(folder, 'pid'), 'utf8').catch(() => ''));
    if (pid > 1) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
    child?.kill('SIGKILL');
    await child?.exited;
    for (let look = 0; look < 200 && (await accepts(port)); look++) await systemClock.sleep(50);
  }
  await start();
  return {
    url,
    control: (...args) => run(controlProgram, ['--quiet', '-n', env.RABBITMQ_NODENAME, ...args]),
    kill,
    start,
    async stop() {
      await kill();
      // Refused for as long as it believes that the node lives.
      const killed = () =>
        run('/usr/bin/epmd', ['-port', String(epmd), '-kill']).then(
          () => true,
          () => false,
        );
      for (let look = 0; look < 20 && !(await killed()); look++) await systemClock.sleep(100);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Erlang's program refuses to run as root for the package's own files; then the package's user does it. */
async function ownIds(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((entry) => entry.startsWith('rabbitmq:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : undefined;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
