import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const program = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
);

/** Why a test of pages cannot run here, or false. */
export const noBrowser = program === undefined && 'no browser; `apt-get install chromium` brings one';

export interface BrowserPage {
  /** A command of the DevTools protocol. */
  send(method: string, parameters?: object): Promise<Record<string, unknown>>;
  open(url: string): Promise<void>;
  /** The value of an expression in the page; a promise is waited for. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read values as they come.
  read(expression: string): Promise<any>;
  /** Waits until an expression is true. */
  until(expression: string): Promise<void>;
  click(selector: string): Promise<void>;
  /** What the page complained of: exceptions, refused resources, broken policies. */
  readonly complaints: string[];
  close(): Promise<void>;
}

/** A headless browser with one page. */
export async function openBrowser(): Promise<BrowserPage> {
  const folder = mkdtempSync(join(tmpdir(), 'damask-browser-'));
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-port=0', '--no-first-run'];
  const child = spawn(program as string, [...flags, `--user-data-dir=${folder}`, 'about:blank'], { stdio: 'ignore' });
  const port = await findPort(folder);
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
    type: string;
    webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(targets.find(({ type }) => type === 'page')?.webSocketDebuggerUrl as string);
  await once(socket, 'open');
  const waiting = new Map<number, (message: { result?: object; error?: { message: string } }) => void>();
  const complaints: string[] = [];
  let count = 0;
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data));
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    else if (message.method === 'Runtime.exceptionThrown') complaints.push(JSON.stringify(message.params));
    else if (message.method === 'Log.entryAdded' && message.params.entry.source !== 'network')
      complaints.push(message.params.entry.text);
  });
  const send: BrowserPage['send'] = (method, params = {}) =>
    new Promise((resolve, reject) => {
      const id = ++count;
      waiting.set(id, ({ result, error }) => {
        waiting.delete(id);
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve((result ?? {}) as Record<string, unknown>);
      });
      socket.send(JSON.stringify({ id, method, params }));
    });
  const read: BrowserPage['read'] = async (expression) => {
    const { result, exceptionDetails } = (await send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
      userGesture: true,
    })) as { result: { value: unknown }; exceptionDetails?: { text: string } };
    if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return result.value;
  };
  const until: BrowserPage['until'] = async (expression) => {
    for (let tries = 0; tries < 300; tries++) {
      if (await read(`Boolean(${expression})`).catch(() => false)) return;
      await sleep(50);
    }
    throw new Error(`Not so after 15 s: ${expression}; the page shows: ${await read('document.body.innerText')}`);
  };
  for (const domain of ['Page', 'Runtime', 'Log', 'WebAuthn']) await send(`${domain}.enable`);
  return {
    send,
    read,
    until,
    complaints,
    async open(url) {
      await send('Page.navigate', { url: 'about:blank' });
      await send('Page.navigate', { url });
      await until(`location.href !== 'about:blank' && document.readyState === 'complete'`);
    },
    async click(selector) {
      const text = JSON.stringify(selector);
      await until(`document.querySelector(${text})?.disabled === false`);
      await read(`document.querySelector(${text}).click()`);
    },
    async close() {
      socket.close();
      const gone = once(child, 'exit');
      child.kill();
      await gone;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

async function findPort(folder: string): Promise<string> {
  for (let tries = 0; tries < 300; tries++) {
    try {
      const [port] = readFileSync(join(folder, 'DevToolsActivePort'), 'utf8').split('\n');
      if (port) return port;
    } catch {
      // It is still starting.
    }
    await sleep(50);
  }
  throw new Error('The browser did not start within 15 s');
}
