import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { enableCompileCache } from 'node:module';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

// A program of its own: loads one GGUF file and serves it on a unix socket until its parent goes away.
const { values } = parseArgs({
  options: {
    runtime: { type: 'string' },
    model: { type: 'string' },
    name: { type: 'string' },
    socket: { type: 'string' },
    context: { type: 'string', default: '8192' },
    sequences: { type: 'string', default: '2' },
    waiting: { type: 'string', default: '16' },
    threads: { type: 'string', default: '0' },
  },
});
const { runtime, model, name, socket } = values;
if (!runtime || !model || !name || !socket) {
  process.stderr.write('usage: serve.ts --runtime FOLDER --model FILE.gguf --name NAME --socket PATH\n');
  process.exit(2);
}

// Answering requests, the platform's and ours, comes before generating.
const niceness = 5;
setPriority(niceness);
enableCompileCache(join(runtime, 'compile-cache'));

let close = async () => {};
let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  // A long evaluation cannot be interrupted; nobody is left who would wait for it.
  setTimeout(() => process.exit(0), 2000).unref();
  await close().catch(() => {});
  process.exit(0);
}
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void stop());
process.on('disconnect', () => void stop());

async function serve(place: { runtime: string; model: string; name: string; socket: string }): Promise<void> {
  // Only now: the modules behind it are what the compile cache is for.
  const { loadEngine } = await import('./load-engine.ts');
  const { createChatEndpoint } = await import('./chat-endpoint.ts');
  const engine = await loadEngine({
    runtime: place.runtime,
    model: place.model,
    contextSize: Number(values.context),
    sequences: Number(values.sequences),
    threads: Number(values.threads),
  });
  const server = createServer(createChatEndpoint({ engine, name: place.name, maxWaiting: Number(values.waiting) }));
  close = async () => {
    server.close();
    server.closeAllConnections();
    await rm(place.socket, { force: true });
    await engine.close();
  };
  await rm(place.socket, { force: true });
  // The socket is ours alone from its first moment.
  process.umask(0o177);
  await once(server.listen(place.socket), 'listening');
  process.send?.({ ready: true, contextSize: engine.contextSize });
}

serve({ runtime, model, name, socket }).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
