import { type DamaskServer, type Home, makeHome, startDamask } from './damask-server.ts';
import type { Load, LoadResult } from './load.ts';
import { listProcesses } from './processes.ts';
import { type Program, startProgram } from './programs.ts';

export type Kind = 'json' | 'stream';

/** Somebody who can be asked for an answer of the model. */
export interface Peer {
  readonly name: string;
  /** What the load program sends it. */
  request(kind: Kind): Pick<Load, 'port' | 'path' | 'authorization' | 'body' | 'mark'>;
  /** CPU time in microseconds of each of its processes so far. */
  cpu(): Readonly<Record<string, number>>;
}

export interface Peers {
  readonly direct: Peer;
  readonly bare: Peer;
  readonly damask: Peer;
  readonly server: DamaskServer;
  upstream(delay: number, gap: number): Promise<void>;
  load(peer: Peer, kind: Kind, load: Pick<Load, 'seconds' | 'connections' | 'rate'>): Promise<LoadResult>;
  stop(): Promise<void>;
}

const system = 'You are a careful summariser. Read the text, keep what matters, leave out the rest. '.repeat(5).trim();
const input = 'The quick brown fox jumps over the lazy dog while nobody is looking at either of them. '.repeat(3);

/** Starts the upstream, the proxy, Damask and the load program, all on loopback. */
export async function startPeers(): Promise<Peers> {
  const programs: Program[] = [];
  const start = async <Ready>(name: string, ...args: string[]) => {
    const [program, ready] = await startProgram<Ready>(name, args);
    programs.push(program);
    return { ...program, ...ready };
  };
  let home: Home | undefined;
  let server: DamaskServer | undefined;
  const stop = async () => {
    await server?.stop();
    home?.remove();
    await Promise.all(programs.map((program) => program.stop()));
  };
  try {
    const mock = await start<{ port: number }>('mock-upstream');
    const bare = await start<{ port: number }>('bare-proxy', String(mock.port));
    const loader = await start<object>('load');
    home = makeHome({ OPENAI_BASE_URL: `http://127.0.0.1:${mock.port}/v1`, OPENAI_API_KEY: 'sk-bench' });
    server = await startDamask(home);
    await server.call('POST', '/v1/patterns', { name: 'bench', system });
    await requireRecord(server);
    return {
      direct: openAiPeer('upstream', mock),
      bare: openAiPeer('bare proxy', bare),
      damask: damaskPeer(server),
      server,
      upstream: (delay, gap) => mock.ask({ delay, gap }),
      load: (peer, kind, load) => loader.ask({ ...load, ...peer.request(kind) }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function openAiPeer(name: string, { pid, port }: { pid: number; port: number }): Peer {
  const messages = [
    { role: 'system', content: system },
    { role: 'user', content: input },
  ];
  const more = { json: {}, stream: { stream: true, stream_options: { include_usage: true } } };
  return {
    name,
    request: (kind) => ({
      port,
      path: '/v1/chat/completions',
      authorization: 'Bearer sk-bench',
      body: JSON.stringify({ model: 'bench', messages, ...more[kind] }),
      mark: '"content":',
    }),
    cpu: () => ({ proxy: listProcesses().find((one) => one.pid === pid)?.cpu ?? 0 }),
  };
}

function damaskPeer({ port, key, cpu }: DamaskServer): Peer {
  return {
    name: 'Damask',
    request: (kind) => ({
      port,
      path: '/v1/runs',
      authorization: `Bearer ${key}`,
      body: JSON.stringify({ pattern: 'bench', input, stream: kind === 'stream' }),
      mark: kind === 'stream' ? 'event: output.delta' : '"output":',
    }),
    cpu: () => ({ ...cpu() }),
  };
}

/** What is measured is only worth something with recording on. */
async function requireRecord(server: DamaskServer): Promise<void> {
  const run = await server.call<{ id: string; output: string }>('POST', '/v1/runs', { pattern: 'bench', input });
  const recorded = await server.call<{ status: string; output: string }>('GET', `/v1/runs/${run.id}`);
  if (recorded.status !== 'succeeded' || recorded.output !== run.output) throw new Error('the run was not recorded');
}
