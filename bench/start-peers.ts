import { type DamaskServer, type Home, makeHome, startDamask } from './damask-server.ts';
import { liteLlmKey, startLiteLlm } from './litellm.ts';
import type { Load, LoadResult } from './load.ts';
import type { Started } from './outside-program.ts';
import { startPortkey } from './portkey.ts';
import { listProcesses, withDescendants } from './processes.ts';
import { type Program, startProgram } from './programs.ts';

export type Kind = 'json' | 'stream';

/** Somebody who can be asked for an answer of the model. */
export interface Peer {
  readonly name: string;
  /** What the load program sends it. */
  request(kind: Kind): Pick<Load, 'port' | 'path' | 'authorization' | 'headers' | 'body' | 'mark'>;
  /** CPU time in microseconds so far: `own` of what serves, the rest by name. */
  cpu(): Readonly<Record<string, number>>;
  residentMb(): number;
}

export interface Peers {
  readonly direct: Peer;
  readonly bare: Peer;
  readonly damask: Peer;
  /** Other gateways, as far as they could be had. */
  readonly others: readonly Peer[];
  /** Why one is missing. */
  readonly leftOut: readonly string[];
  readonly server: DamaskServer;
  /** Where that server lives. */
  readonly home: Home;
  readonly upstreamPort: number;
  upstream(delay: number, gap: number): Promise<void>;
  load(peer: Peer, kind: Kind, load: Pick<Load, 'seconds' | 'connections' | 'rate'>): Promise<LoadResult>;
  stop(): Promise<void>;
}

export const system = 'You are a careful summariser. Read the text, keep what matters, leave out the rest. '
  .repeat(5)
  .trim();
export const input = 'The quick brown fox jumps over the lazy dog while nobody is looking at either of them. '.repeat(
  3,
);

/** Starts the upstream, the proxy, Damask, other gateways and the load program, all on loopback. */
export async function startPeers(say: (text: string) => void, { others: invited = true } = {}): Promise<Peers> {
  const programs: Program[] = [];
  const start = async <Ready>(name: string, ...args: string[]) => {
    const [program, ready] = await startProgram<Ready>(name, args);
    programs.push(program);
    return { ...program, ...ready };
  };
  let home: Home | undefined;
  let server: DamaskServer | undefined;
  const outside: Started[] = [];
  const others: Peer[] = [];
  const leftOut: string[] = [];
  const invite = async (name: string, begun: Promise<Started | string>, make: (started: Started) => Peer) => {
    say(`start ${name}`);
    const started = await begun;
    if (typeof started === 'string') leftOut.push(`${name}: ${started}`);
    else {
      outside.push(started);
      others.push(make(started));
    }
  };
  const stop = async () => {
    await Promise.all(outside.map((started) => started.stop()));
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
    if (invited) {
      await invite('Portkey', startPortkey(), (started) =>
        openAiPeer('Portkey', started, {
          headers: { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `http://127.0.0.1:${mock.port}/v1` },
        }),
      );
      await invite('LiteLLM', startLiteLlm(mock.port), (started) =>
        openAiPeer('LiteLLM', started, { key: liteLlmKey }),
      );
    }
    return {
      direct: openAiPeer('upstream', mock),
      bare: openAiPeer('bare proxy', bare),
      damask: damaskPeer(server),
      others,
      leftOut,
      server,
      home,
      upstreamPort: mock.port,
      upstream: (delay, gap) => mock.ask({ delay, gap }),
      load: (peer, kind, load) => loader.ask({ ...load, ...peer.request(kind) }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function openAiPeer(
  name: string,
  { pid, port }: { pid: number; port: number },
  { key = 'sk-bench', headers = {} }: { key?: string; headers?: Readonly<Record<string, string>> } = {},
): Peer {
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
      authorization: `Bearer ${key}`,
      headers,
      body: JSON.stringify({ model: 'bench', messages, ...more[kind] }),
      mark: '"content":',
    }),
    cpu: () => ({ own: withDescendants(listProcesses(), pid).reduce((sum, { cpu }) => sum + cpu, 0) }),
    residentMb: () => withDescendants(listProcesses(), pid).reduce((sum, one) => sum + one.residentMb, 0),
  };
}

function damaskPeer({ port, key, cpu, residentMb }: DamaskServer): Peer {
  return {
    name: 'Damask',
    request: (kind) => ({
      port,
      path: '/v1/runs',
      authorization: `Bearer ${key}`,
      headers: {},
      body: JSON.stringify({ pattern: 'bench', input, stream: kind === 'stream' }),
      mark: kind === 'stream' ? 'event: output.delta' : '"output":',
    }),
    cpu() {
      const { edge, ...others } = cpu();
      return { own: edge, ...others };
    },
    residentMb,
  };
}

/** What is measured is only worth something with recording on. */
async function requireRecord(server: DamaskServer): Promise<void> {
  const run = await server.call<{ id: string; output: string }>('POST', '/v1/runs', { pattern: 'bench', input });
  const recorded = await server.call<{ status: string; output: string }>('GET', `/v1/runs/${run.id}`);
  if (recorded.status !== 'succeeded' || recorded.output !== run.output) throw new Error('the run was not recorded');
}
