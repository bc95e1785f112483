import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { makeHome, startDamask } from './damask-server.ts';
import { median, table } from './figures.ts';
import { startProgram } from './programs.ts';

const root = join(import.meta.dirname, '..');
const library = join(root, '..', 'shared', 'fabric-library');
const launcher = join(root, 'cli', 'bin', 'damask.mjs');
const rounds = 15;

/** What a person waits for: the start, the import of Fabric's library, one command. */
export async function measureEveryday(say: (text: string) => void): Promise<string> {
  const [mock, { port }] = await startProgram<{ port: number }>('mock-upstream');
  await mock.ask({ delay: 0, gap: 0 });
  const home = makeHome({ OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`, OPENAI_API_KEY: 'sk-bench' });
  try {
    say('start');
    const first = await startDamask(home);
    await first.stop();
    const warm: number[] = [];
    for (let round = 0; round < 5; round++) {
      const server = await startDamask(home);
      warm.push(server.readyAfter);
      await server.stop();
    }
    const server = await startDamask(home);
    const rows: (string | number)[][] = [
      ['first start, with a new database', first.readyAfter],
      ['warm start to ready (bound: 2,000)', median(warm)],
    ];
    say('import');
    if (existsSync(library)) {
      const files = readTree(library);
      const began = performance.now();
      await server.call('POST', '/v1/imports', { files });
      rows.push(['import of the whole Fabric library, 255 patterns (bound: 3,000)', performance.now() - began]);
      const again = performance.now();
      await server.call('POST', '/v1/imports', { files });
      rows.push(['the same again, nothing changed', performance.now() - again]);
    }
    say('command line');
    const environment = { ...home.environment, DAMASK_URL: server.url, DAMASK_API_KEY: server.key };
    const trivial = join(home.path, 'trivial.mjs');
    writeFileSync(trivial, "console.log('hello');");
    const bare: number[] = [];
    const whole: number[] = [];
    for (let round = 0; round < rounds; round++) {
      bare.push(await timeOf([trivial], environment));
      whole.push(await timeOf([launcher, 'run', 'summarize', 'a text'], environment));
    }
    rows.push(['a trivial script', median(bare)], ['`damask run` against a running server', median(whole)]);
    rows.push(['what it costs more (bound: 80)', median(whole) - median(bare)]);
    await server.stop();
    return table(['', 'ms, median'], rows);
  } finally {
    home.remove();
    await mock.stop();
  }
}

function readTree(folder: string): { path: string; content: string }[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && /data\/|pattern_descriptions\.json$/.test(path))
    .map((path) => ({ path: relative(folder, path), content: readFileSync(path, 'utf8') }));
}

function timeOf(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => {
      if (code === 0) resolve(performance.now() - began);
      else reject(new Error(`${args.join(' ')} ended with ${code}`));
    });
  });
}
