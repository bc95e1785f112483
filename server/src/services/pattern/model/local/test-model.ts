import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { systemClock } from '#platform/clock.ts';
import { createLog, type Log } from '#platform/log.ts';
import { createRedact } from '#platform/redact.ts';
import { type TinyModelOptions, writeTinyModel } from '#platform/testing/tiny-model.ts';
import { createLocalModel, type LocalModel, type LocalModelOptions } from './local-model.ts';
import { installRuntime, runtimeFolder } from './runtime.ts';

/** The runtime is big, so the tests of one user share one. */
export const testCacheDir = join(tmpdir(), `damask-test-cache-${userInfo().uid}`);

/** A log that keeps its lines, parsed. */
export function keptLog(lines: Record<string, unknown>[]): Log {
  const write = (line: string) => void lines.push(JSON.parse(line));
  return createLog({ level: 'debug', clock: systemClock, write, redact: createRedact() });
}

export const noDownload: LocalModelOptions['download'] = async (url) => {
  throw new Error(`${url} is not in reach of a test.`);
};

/** False when the model's process can be started here, else why not, for `skip`. Installs the runtime the first time. */
export async function whyNoRuntime(): Promise<string | false> {
  try {
    await installRuntime(
      {
        cacheDir: testCacheDir,
        environment: process.env,
        nodePath: process.execPath,
        clock: systemClock,
        signal: AbortSignal.timeout(60_000),
      },
      { os: process.platform, cpu: process.arch },
    );
    return false;
  } catch (error) {
    return `the package registry is needed once: \`npm view node-llama-cpp\` must work here (${(error as Error).message})`;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export interface TestModel {
  readonly local: LocalModel;
  /** What it logged so far. */
  readonly lines: readonly Record<string, unknown>[];
  /** Of the process that was started last. */
  pid(): number;
  get(path: string): Promise<Answer>;
  ask(body: object): Promise<Answer>;
  /** Answers as soon as the head has come; its body is a stream, `destroy` leaves. */
  open(body: object, signal?: AbortSignal): Promise<IncomingMessage>;
  stop(): Promise<void>;
}

/** A tiny model behind its real process and its real socket, in a folder of its own. */
export async function startTestModel(tiny: TinyModelOptions, more: readonly string[] = []): Promise<TestModel> {
  const directory = await mkdtemp(join(tmpdir(), 'damask-model-'));
  const modelPath = join(directory, 'alphabet.gguf');
  await writeTinyModel(modelPath, tiny);
  const lines: Record<string, unknown>[] = [];
  // One thread: several wait for each other, and on a busy machine the tests would wait with them.
  const local = createLocalModel({
    ...testOptions(directory, lines),
    source: { modelPath },
    more: ['--threads', '1', ...more],
  });
  await local.ensure();
  return {
    local,
    lines,
    pid: () => lines.findLast((line) => line.pid !== undefined)?.pid as number,
    ...clientOf(local),
    async stop() {
      await local.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export function testOptions(directory: string, lines: Record<string, unknown>[] = []): LocalModelOptions {
  return {
    cacheDir: testCacheDir,
    socketDirectory: directory,
    nodePath: process.execPath,
    source: {},
    environment: process.env,
    clock: systemClock,
    log: keptLog(lines),
    download: noDownload,
  };
}

/** A cache folder that has the tests' runtime and no model. */
export async function cacheWithRuntime(directory: string): Promise<string> {
  const cacheDir = join(directory, 'cache');
  const platform = { os: process.platform, cpu: process.arch };
  await mkdir(join(cacheDir, 'local-model'), { recursive: true });
  await symlink(runtimeFolder(testCacheDir, platform), runtimeFolder(cacheDir, platform));
  return cacheDir;
}

/** Calls a model's process over its socket. */
export function clientOf({ socketPath }: LocalModel): Pick<TestModel, 'get' | 'ask' | 'open'> {
  const send = (method: string, path: string, body?: object, signal?: AbortSignal) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      request({ socketPath, method, path, agent: false, ...(signal ? { signal } : {}) }, resolve)
        .on('error', reject)
        .end(body && JSON.stringify(body));
    });
  const whole = async (sent: Promise<IncomingMessage>): Promise<Answer> => {
    const response = await sent;
    return { status: response.statusCode ?? 0, headers: response.headers, text: await text(response) };
  };
  const path = '/v1/chat/completions';
  return {
    get: (from) => whole(send('GET', from)),
    ask: (body) => whole(send('POST', path, body)),
    open: (body, signal) => send('POST', path, { ...body, stream: true }, signal),
  };
}
