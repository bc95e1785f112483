import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildPackages } from '../../scripts/build-packages.ts';
import { finishedRun, runId, sendJson, sseFrame, startScriptedServer } from './scripted-server.ts';

const house = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'damask-packages-'));
const project = join(folder, 'project');
const env = { ...process.env, HOME: folder, npm_config_cache: join(folder, 'cache'), DAMASK_API_KEY: 'dmk_test' };

function run(command: string, args: readonly string[], cwd: string, more: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...env, ...more } });
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

/** The oldest Node from 20 on that this machine has. */
function oldestNode(): { path: string; major: number } {
  const found = (process.env.PATH ?? '').split(delimiter).flatMap((part) => {
    const path = join(part, 'node');
    const major = Number(/^v(\d+)/.exec(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1] ?? 0);
    return major >= 20 ? [{ path, major }] : [];
  });
  return found.sort((a, b) => a.major - b.major)[0] ?? { path: process.execPath, major: 24 };
}

before(() => {
  buildPackages(join(folder, 'built'));
  for (const wing of ['sdk', 'cli']) {
    run('npm', ['pack', '--pack-destination', folder, '--loglevel=error'], join(folder, 'built', wing));
  }
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.tgz'))
    .map((name) => join(folder, name));
  assert.equal(files.length, 2);
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"name":"user","private":true,"type":"module"}');
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--loglevel=error', ...files], project);
});

after(() => rmSync(folder, { recursive: true, force: true }));

test('the installed command runs, and runs a pattern', async () => {
  const damask = join(project, 'node_modules/.bin/damask');
  const { version } = JSON.parse(readFileSync(join(house, 'cli/package.json'), 'utf8'));
  assert.equal(run(process.execPath, [damask, '--version'], project), `${version}\n`);
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, finishedRun()));
  const child = spawn(process.execPath, [damask, 'run', 'summarize', 'a text'], {
    cwd: project,
    env: { ...env, DAMASK_URL: server.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.equal(await new Response(child.stdout as never).text(), 'A short answer.\n');
});

test('the installed sdk works under the oldest Node here, streams included', async () => {
  const node = oldestNode();
  await using server = await startScriptedServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(sseFrame('run.accepted', 0, { id: runId, pattern: 'a', version: 1, model: 'b/c' }));
    response.end(sseFrame('run.succeeded', 0, finishedRun()));
  });
  const program = `
    import { createDamask, DamaskError } from '@damask/sdk';
    const damask = createDamask({ url: '${server.url}', apiKey: 'dmk_x', retries: 0 });
    const events = [];
    for await (const { event } of damask.runs.stream({ pattern: 'a', input: 'b' })) events.push(event);
    const nobody = createDamask({ url: 'http://127.0.0.1:9', retries: 0 });
    const error = await nobody.me().catch((thrown) => thrown);
    console.log(events.join(), error instanceof DamaskError, error.code);
  `;
  writeFileSync(join(project, 'use.mjs'), program);
  const child = spawn(node.path, ['use.mjs'], { cwd: project, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const text = await new Response(child.stdout as never).text();
  assert.equal(text, 'run.accepted,run.succeeded true unreachable\n', `under Node ${node.major}`);
});

test('the installed sdk works where only web standards are, as at the edge', async () => {
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, finishedRun()));
  // Node's own fetch leans on Node, so only what the sdk itself asks for is refused.
  const program = `
    const asked = [];
    for (const name of ['process', 'Buffer', 'global', 'require', 'setImmediate']) {
      const value = globalThis[name];
      const get = () => {
        if (new Error().stack.split('\\n')[2].includes('@damask/sdk')) asked.push(name);
        return value;
      };
      Object.defineProperty(globalThis, name, { get, configurable: true });
    }
    const { createDamask } = await import('@damask/sdk');
    const damask = createDamask({ url: '${server.url}', apiKey: 'dmk_x' });
    const run = await damask.runs.create({ pattern: 'a', input: 'b' });
    console.log(asked.join() || 'nothing', run.output.trim());
  `;
  writeFileSync(join(project, 'edge.mjs'), program);
  const child = spawn(process.execPath, ['edge.mjs'], { cwd: project, env, stdio: ['ignore', 'pipe', 'inherit'] });
  assert.equal(await new Response(child.stdout as never).text(), 'nothing A short answer.\n');
});

test('the types of the installed sdk are complete', () => {
  writeFileSync(
    join(project, 'use.ts'),
    `import { createDamask, type Run, type RunEvent } from '@damask/sdk';
     const damask = createDamask({ url: 'http://127.0.0.1:7440', fetch });
     export const run: Promise<Run> = damask.runs.create({ pattern: 'a', input: 'b', model: undefined });
     export async function* texts(): AsyncGenerator<string> {
       for await (const event of damask.runs.stream({ pattern: 'a', input: 'b' })) {
         const known: RunEvent = event;
         if (known.event === 'output.delta') yield known.data.text;
       }
     }
     // @ts-expect-error a pattern is needed
     damask.runs.create({ input: 'b' });
     // @ts-expect-error there is no such function
     damask.runs.explode();`,
  );
  symlinkSync(join(house, 'node_modules/@types'), join(project, 'node_modules/@types'));
  symlinkSync(join(house, 'node_modules/undici-types'), join(project, 'node_modules/undici-types'));
  const base = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext'];
  const tsc = join(house, 'node_modules/typescript/bin/tsc');
  run(process.execPath, [tsc, ...base, '--types', 'node', 'use.ts'], project);
  run(process.execPath, [tsc, ...base, '--lib', 'es2022,dom,dom.asynciterable', 'use.ts'], project);
});
