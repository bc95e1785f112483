import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProviderProtocol } from '@damask/contracts/model.ts';
import { systemClock } from '#platform/clock.ts';
import { createEgress, type Lookup } from '#platform/egress/egress.ts';
import { createLog } from '#platform/log.ts';
import type { ModelRequest } from '../model-call.ts';
import type { SourceOptions } from '../source-options.ts';
import { type AddonOptions, createAddon } from './addon.ts';
import { openAddonPort } from './open-addon-port.ts';

/** The add-on's real process over a folder of packages. */
export async function openTestAddon(options: { allow?: string[]; lookup?: Lookup } & Partial<AddonOptions>) {
  const directory = await mkdtemp(join(tmpdir(), 'damask-addon-'));
  const egress = createEgress({
    allow: options.allow ?? ['127.0.0.1'],
    clock: systemClock,
    ...(options.lookup ? { lookup: options.lookup } : {}),
  });
  const logged: string[] = [];
  const addon = createAddon({
    cacheDir: directory,
    socketDirectory: join(directory, 'run'),
    nodePath: process.execPath,
    environment: process.env,
    egress,
    clock: systemClock,
    log: createLog({
      level: 'debug',
      clock: systemClock,
      redact: { text: (text: string) => text, value: (value: unknown) => value } as never,
      write: (line) => void logged.push(line),
    }),
    ...options,
  });
  return {
    addon,
    directory,
    logged,
    async ask(protocol: ProviderProtocol, baseUrl: string, request: Partial<ModelRequest> = {}, apiKey = 'sk-secret') {
      await addon.ready();
      const from = { addon, egress, firstByteMs: 20_000, idleMs: 20_000, defaultMaxTokens: 1_000, clock: systemClock };
      const source = { ...from, redact: (text: string) => text } as unknown as SourceOptions;
      const port = openAddonPort(source, { provider: protocol, protocol, baseUrl, apiKey });
      let text = '';
      const exchange = port.call({
        model: 'm',
        messages: [{ role: 'user', content: 'hi' }],
        parameters: {},
        stream: false,
        timeoutMs: 20_000,
        onText(piece) {
          text += piece;
          return true;
        },
        ...request,
      });
      return { exchange, done: exchange.done.then((result) => ({ ...result, text })) };
    },
    async close() {
      await addon.stop();
      await egress.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A package that stands for Cohere's: it sends what it was given to its address and answers with what comes back. */
export async function writeTinyPackage(folder: string): Promise<string> {
  const place = join(folder, 'node_modules', '@ai-sdk', 'cohere', 'dist');
  await mkdir(place, { recursive: true });
  await writeFile(join(folder, 'node_modules', '@ai-sdk', 'cohere', 'package.json'), '{"type":"module"}');
  await writeFile(join(place, 'index.js'), tinyPackage);
  return folder;
}

const tinyPackage = `
import { connect } from 'node:net';
export const createCohere = ({ baseURL, apiKey, fetch }) => (model) => {
  if (model === 'crash') process.exit(3);
  if (model === 'tunnel') connect(Number(new URL(baseURL).port), '127.0.0.1');
  const ask = ({ abortSignal, ...options }) => fetch(baseURL + '/chat', {
    method: 'POST', signal: abortSignal, headers: { authorization: 'Bearer ' + apiKey }, body: JSON.stringify({ model, ...options }),
  });
  const usage = { inputTokens: { total: 11, cacheRead: 4 }, outputTokens: { total: 7, reasoning: 2 } };
  const finishReason = { unified: 'stop' };
  return {
    async doGenerate(options) {
      const answer = await ask(options);
      if (!answer.ok) throw Object.assign(new Error(await answer.text()), { statusCode: answer.status, responseHeaders: Object.fromEntries(answer.headers) });
      return { content: [{ type: 'text', text: await answer.text() }], finishReason, usage };
    },
    async doStream(options) {
      const answer = await ask(options);
      const decoder = new TextDecoder();
      return { stream: answer.body.pipeThrough(new TransformStream({
        transform: (piece, out) => out.enqueue({ type: 'text-delta', delta: decoder.decode(piece) }),
        flush: (out) => model === 'short' || out.enqueue({ type: 'finish', usage, finishReason }),
      })) };
    },
  };
};
`;
