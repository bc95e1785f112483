import { setTimeout as sleep } from 'node:timers/promises';
import { createDamask, DamaskError, type Fetch, type FetchResponse } from '@damask/sdk';
import type { ServerAccess, ServerProgress } from './command.ts';
import type { Config } from './config.ts';
import { findInstance, type Instance, isLoopback, isTooOpen, readCredentials } from './credentials.ts';
import { httpTransport } from './http-transport.ts';
import { interruptions } from './interruptions.ts';
import { StartError } from './start-error.ts';
import type { Terminal } from './terminal.ts';

export interface OpenAccess extends ServerAccess {
  /** Stops a server that was started for this command. */
  close(): Promise<void>;
}

// Every answer of a Damask server has an id; JSON of another program would be read as if it were ours.
function refuseStranger({ status, headers }: FetchResponse, target: string): void {
  const json = headers.get('content-type')?.startsWith('application/json') === true;
  if (status > 299 || !json || headers.get('x-request-id') !== null) return;
  throw new DamaskError('unexpected_response', `${target} answers, but not as a Damask server does.`, {});
}

/** Another command's own server may have the address or the data for a moment, while it starts or stops. */
const patienceMs = 15_000;

/** Opens the way to the server. Nothing is sent yet; a loopback server that does not run is started when first needed. */
export function connect(config: Config, terminal: Terminal, mayStart: boolean, reason?: string): OpenAccess {
  // Only now: while the standard input is read, a signal ends the process at once.
  const signal = interruptions(terminal);
  const listeners: ((event: ServerProgress) => void)[] = [];
  let target = config.url;
  let credential = credentialOf(config, terminal);
  const started: { stop(): Promise<void> }[] = [];
  let starting: Promise<void> | undefined;
  let told = false;

  const start = async () => {
    const { startServer } = await import('./own-server.ts');
    if (!told) terminal.note(terminal.paintNote('dim', 'no server is running: starting one for this command'));
    told = true;
    const server = await startServer(config, signal, (event) => {
      for (const listen of listeners) listen(event);
    });
    started.push(server);
    target = server.url.replace(/\/+$/, '');
    credential = credentialOf(config, terminal, server);
  };
  const startOnce = async () => {
    starting ??= start();
    await starting.finally(() => {
      starting = undefined;
    });
  };
  const fetch: Fetch = async (url, init) => {
    const send = async () => {
      const response = await httpTransport(target + url.slice(config.url.length), {
        ...init,
        headers: { ...init.headers, ...headersOf(credential), ...whyOf(reason) },
      });
      refuseStranger(response, target);
      return response;
    };
    const until = Date.now() + patienceMs;
    for (;;) {
      try {
        return await send();
      } catch (error) {
        if (!mayStart || !isRefused(error) || !isLocal(config.url) || Date.now() > until) throw error;
      }
      try {
        await startOnce();
      } catch (error) {
        if (!(error instanceof StartError && error.busy) || Date.now() > until) throw error;
        await sleep(200, undefined, { signal });
      }
    }
  };
  return {
    damask: createDamask({ url: config.url, fetch, retries: 2, signal }),
    signal,
    startedServer: () => told,
    onProgress: (listen) => listeners.push(listen),
    async close() {
      await starting?.catch(() => undefined);
      await Promise.all(started.map((server) => server.stop()));
    },
  };
}

type Credential = Pick<Instance, 'apiKey' | 'workspace'>;

/** The key of the environment wins. */
function credentialOf(
  config: Config,
  terminal: Terminal,
  server?: { url: string; instance: string | undefined },
): Credential | undefined {
  if (config.apiKey !== undefined) return { apiKey: config.apiKey, workspace: undefined };
  const credentials = readCredentials(config.configDir);
  if (isTooOpen(credentials)) {
    terminal.note(
      terminal.paintNote('yellow', `others can read ${credentials.path}. Close it: chmod 600 ${credentials.path}`),
    );
  }
  return findInstance(credentials, server?.url ?? config.url, server?.instance);
}

function headersOf(credential: Credential | undefined): Record<string, string> {
  if (credential === undefined) return {};
  const { apiKey, workspace } = credential;
  return {
    authorization: `Bearer ${apiKey}`,
    ...(workspace === undefined ? {} : { 'damask-workspace': workspace }),
  };
}

/** A header takes bytes; the server reads them as UTF-8. */
function whyOf(reason: string | undefined): Record<string, string> {
  return reason === undefined ? {} : { 'damask-reason': Buffer.from(reason).toString('latin1') };
}

function isRefused(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED';
}

function isLocal(url: string): boolean {
  return url.startsWith('http:') && isLoopback(url);
}
