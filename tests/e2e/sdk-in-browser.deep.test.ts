import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildPackages } from '../../scripts/build-packages.ts';
import { startModelServer } from '../../server/src/platform/testing/model-server.ts';
import { startTestPlatform } from '../../server/src/testing/test-platform.ts';

const browser = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
);

/** What a page and a worker do with the published sdk; `say` takes what they saw. */
const program = `
  import { createDamask, DamaskError } from '/sdk/index.js';
  export async function useSdk(url, apiKey) {
    const damask = createDamask({ url, apiKey });
    const names = [];
    for await (const pattern of damask.patterns.listAll({ limit: 2 })) names.push(pattern.name);
    const events = [];
    let text = '';
    for await (const event of damask.runs.stream({ pattern: 'summarize', input: 'a text' })) {
      events.push(event.event);
      if (event.event === 'output.delta') text += event.data.text;
    }
    const whole = await damask.runs.create({ pattern: 'summarize', input: 'a text' });
    const missing = await damask.runs.create({ pattern: 'nobody', input: 'a text' }).catch((error) => error);
    const leave = new AbortController();
    const left = damask.runs.create({ pattern: 'summarize', input: 'slow' }, { signal: leave.signal });
    setTimeout(() => leave.abort(new Error('left')), 200);
    const why = await left.catch((error) => error.message);
    return { names: names.length, first: events[0], last: events.at(-1), text, whole: whole.output,
      missing: missing instanceof DamaskError && missing.code, why };
  }`;
const worker = `import { useSdk } from '/use.js';
  onmessage = ({ data }) => useSdk(...data).then((seen) => postMessage(seen), (error) => postMessage(String(error)));`;

test('the published sdk lists, streams, runs and gives up in a page and in a worker of a browser', {
  skip: browser === undefined && 'no browser; `apt-get install chromium` brings one',
  timeout: 120_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'damask-browser-'));
  buildPackages(folder);
  const model = await startModelServer((call, answer) => {
    if (call.messages.at(-1)?.content !== 'slow') answer.say('short');
  });
  let tell: (seen: unknown) => void = () => undefined;
  const told = new Promise((resolve) => {
    tell = resolve;
  });
  const files: Record<string, () => string> = {
    '/': () => `<!doctype html><script type="module">
        import { useSdk } from '/use.js';
        const { url, key } = await (await fetch('/target')).json();
        const inWorker = new Promise((resolve) => {
          const thread = new Worker('/worker.js', { type: 'module' });
          thread.onmessage = ({ data }) => resolve(data);
          thread.postMessage([url, key]);
        });
        const page = await useSdk(url, key).catch(String);
        await fetch('/seen', { method: 'POST', body: JSON.stringify({ page, worker: await inWorker }) });
      </script>`,
    '/use.js': () => program,
    '/worker.js': () => worker,
    '/target': () => JSON.stringify({ url: platform.url, key: platform.alpha.ownerKey }),
  };
  const pages = createServer(async (request, response) => {
    const path = request.url ?? '/';
    if (path === '/seen') tell(JSON.parse((await request.toArray()).join('')));
    const sdk = /^\/sdk\/([\w.-]+\.js)$/.exec(path)?.[1];
    const text = sdk ? readFileSync(join(folder, 'sdk/dist', sdk), 'utf8') : (files[path]?.() ?? '');
    response.writeHead(200, { 'content-type': path === '/' ? 'text/html' : 'text/javascript' }).end(text);
  }).listen(0, '127.0.0.1');
  await once(pages, 'listening');
  const origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  const platform = await startTestPlatform({
    modelUrl: model.url,
    environment: { DAMASK_CORS_ORIGINS: origin },
  });
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${join(folder, 'profile')}`];
  const shown = spawn(browser as string, [...flags, '--remote-debugging-port=0', origin], { stdio: 'ignore' });
  try {
    const seen = {
      first: 'run.accepted',
      last: 'run.succeeded',
      text: 'short',
      whole: 'short',
      missing: 'not_found',
      why: 'left',
    };
    const names = (await platform.call('GET', '/v1/patterns?limit=200')).body.items.length;
    const late = sleep(60_000, 'the browser said nothing for a minute', { ref: false });
    assert.deepEqual(await Promise.race([told, late]), { page: { names, ...seen }, worker: { names, ...seen } });
  } finally {
    shown.kill();
    await once(shown, 'exit');
    pages.close();
    await Promise.all([platform.stop(), model.close()]);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
});
