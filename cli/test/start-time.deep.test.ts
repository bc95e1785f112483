import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { finishedRun, sendJson, startScriptedServer } from '../../sdk/test/scripted-server.ts';
import { cliEnvironment, makeFolder } from './run-cli.ts';

const launcher = fileURLToPath(new URL('../bin/damask.mjs', import.meta.url));

/** Milliseconds from start to end of a process under this Node. */
function timeOf(args: readonly string[], env: Record<string, string | undefined>): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => (code === 0 ? resolve(performance.now() - began) : reject(new Error(`exit ${code}`))));
  });
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

test('damask run costs at most 80 ms more than a trivial script', async (context) => {
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, finishedRun()));
  const folder = makeFolder();
  const env = cliEnvironment({ url: server.url, home: folder });
  const trivial = join(folder, 'trivial.mjs');
  writeFileSync(trivial, "console.log('hello');");
  const run = [launcher, 'run', 'summarize', 'a text'];
  await timeOf(run, env);
  const bare: number[] = [];
  const whole: number[] = [];
  for (let i = 0; i < 25; i++) {
    bare.push(await timeOf([trivial], env));
    whole.push(await timeOf(run, env));
  }
  const cost = median(whole) - median(bare);
  context.diagnostic(
    `trivial ${median(bare).toFixed(1)} ms, damask run ${median(whole).toFixed(1)} ms: ${cost.toFixed(1)} ms more`,
  );
  assert.ok(cost <= 80, `${cost.toFixed(1)} ms`);
});
