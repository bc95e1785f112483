import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runToEnd, startChild } from './child-process.ts';

const node = (script: string) => ['-e', script];
const unavailable = (pattern: RegExp) => (error: { code?: string; message?: string }) =>
  error.code === 'unavailable' && pattern.test(error.message ?? '');

test('a command answers with its exit code and both outputs, and gets its arguments byte for byte', async () => {
  const script = 'console.log(process.argv[1]); console.error("to stderr"); process.exit(3)';
  const result = await runToEnd(process.execPath, [...node(script), '$(rm -rf x) "; ls'], { timeoutMs: 10_000 });
  assert.deepEqual(result, {
    code: 3,
    signal: null,
    stdout: '$(rm -rf x) "; ls\n',
    stderr: 'to stderr\n',
    truncated: false,
  });
});

test('of a long output the end is kept', async () => {
  const script = 'process.stdout.write("a".repeat(100000) + "end")';
  const result = await runToEnd(process.execPath, node(script), { timeoutMs: 10_000, maxOutputBytes: 1000 });
  assert.equal(result.stdout, `${'a'.repeat(997)}end`);
  assert.equal(result.truncated, true);
});

test('a command that takes too long or is no longer wanted is killed with what it started', async () => {
  const script = `const { pid } = require('node:child_process').spawn('sleep', ['100'], { stdio: 'inherit' });
    require('node:fs').writeSync(1, String(pid)); setInterval(() => {}, 1000);`;
  await assert.rejects(
    runToEnd(process.execPath, node(script), { timeoutMs: 300 }),
    unavailable(/did not end within 0.3 s/),
  );
  const leave = new AbortController();
  const run = runToEnd(process.execPath, node(script), { timeoutMs: 10_000, signal: leave.signal });
  setTimeout(() => leave.abort(new Error('gone')), 200);
  await assert.rejects(run, /gone/);
  await assert.rejects(runToEnd('true', [], { timeoutMs: 1000, signal: leave.signal }), /gone/);
});

test('a program that is not there is named', async () => {
  await assert.rejects(startChild({ command: 'no-such-program' }), unavailable(/no-such-program: it is not installed/));
});

test('a child talks over its channel, and one that ignores SIGTERM is killed after its grace', async () => {
  const script = `process.on('SIGTERM', () => {}); process.on('message', (m) => process.send({ echo: m }));`;
  const child = await startChild({ command: process.execPath, args: node(script), ipc: true });
  const answer = new Promise((resolve) => child.onMessage(resolve));
  assert.equal(child.send({ hello: 1 }), true);
  assert.deepEqual(await answer, { echo: { hello: 1 } });
  assert.deepEqual(await child.stop(200), { code: null, signal: 'SIGKILL' });
  assert.equal(child.kill('SIGTERM'), false);
  assert.equal(child.send({ hello: 2 }), false);
  assert.deepEqual(await child.stop(200), { code: null, signal: 'SIGKILL' });
});
