import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { finishedRun, sendJson, sendProblem, startScriptedServer } from '../../sdk/test/scripted-server.ts';
import { cliEnvironment, main, makeFolder, runCli } from './run-cli.ts';
import { hasScript, typeOnTerminal } from './type-on-terminal.ts';

const hasBash = spawnSync('bash', ['--version']).status === 0 ? {} : { skip: 'needs bash' };

function nameServer() {
  return startScriptedServer(({ url }, response) => {
    if (url.startsWith('/v1/patterns')) {
      const items = ['summarize', 'create_tags', 'bash', '$(touch x)', 'a;b', '-v'].map((name) => ({
        name,
        description: 'What it does.\nMore.',
      }));
      return sendJson(response, 200, { items });
    }
    if (url.startsWith('/v1/models')) {
      return sendJson(response, 200, { items: [{ name: 'ollama/llama3:8b' }, { name: 'ollama/other' }] });
    }
    if (url === '/v1/runs') return sendJson(response, 200, finishedRun());
    sendProblem(response, 404, 'not_found');
  });
}

/** Runs a script in bash with `damask` in reach. */
async function inBash(script: string, url: string, home: string): Promise<string> {
  const bin = join(home, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'damask'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  chmodSync(join(bin, 'damask'), 0o755);
  const env = cliEnvironment({ url, home });
  const { spawn } = await import('node:child_process');
  const child = spawn('bash', ['--norc', '-c', script], { env: { ...env, PATH: `${bin}:${env.PATH}` } });
  let shown = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
    });
  }
  child.stdin.end('mail');
  await new Promise((resolve) => child.on('close', resolve));
  return shown;
}

test('names come from the server, and from memory when it is gone', async () => {
  const home = makeFolder();
  const server = await nameServer();
  const ask = (...words: string[]) => runCli(['completion', '--words', '--', ...words], { url: server.url, home });
  assert.match((await ask('run', '')).stdout, /^summarize\tWhat it does\. More\.\ncreate_tags\t.*\nbash\t.*\n$/);
  assert.equal((await ask('run', 'x', '-o', '')).stdout, ':files\n');
  const seen = server.seen.length;
  await server[Symbol.asyncDispose]();
  assert.match((await ask('run', '')).stdout, /^summarize\t/);
  assert.deepEqual(await ask('run', '--strategy', ''), { code: 0, stdout: '', stderr: '' });
  assert.equal(server.seen.length, seen);
  assert.match((await runCli(['completion', 'fish'])).stdout, /complete -c damask/);
  assert.equal((await runCli(['completion', 'tcsh'])).code, 2);
});

test('bash completes words, also behind the marks at which it splits them itself', hasBash, async () => {
  await using server = await nameServer();
  const script = `eval "$(damask completion bash)"
    try() { COMP_LINE="$1"; COMP_POINT=\${#COMP_LINE}; _damask; echo "$1|\${COMPREPLY[*]}"; }
    try "damask run sum"; try "damask ru"; try "damask run -m ollama/llama3:"; try "damask run -m=oll"; try "damask runs sh"`;
  assert.deepEqual((await inBash(script, server.url, makeFolder())).trim().split('\n'), [
    'damask run sum|summarize',
    'damask ru|run runs',
    'damask run -m ollama/llama3:|8b',
    'damask run -m=oll|ollama/llama3:8b ollama/other',
    'damask runs sh|show',
  ]);
});

test('aliases are shell commands that hide nothing, and go without a trace', hasBash, async () => {
  await using server = await nameServer();
  const home = makeFolder();
  const rc = join(home, '.bashrc');
  writeFileSync(rc, 'export MINE=1\n');
  const options = { url: server.url, home, env: { SHELL: '/bin/bash' } };
  const plain = await runCli(['alias'], options);
  assert.match(plain.stdout, /summarize +damask run summarize/);
  assert.match(plain.stderr, /left out bash: there is a program/);
  for (let i = 0; i < 2; i++) assert.equal((await runCli(['alias', '--install', '--rc'], options)).code, 0);
  assert.equal(readFileSync(rc, 'utf8').match(/>>> damask/g)?.length, 1);
  assert.equal(await inBash(`. '${rc}'; summarize -m a/b; type -t bash`, server.url, home), 'A short answer.\nfile\n');
  assert.equal(JSON.parse(server.seen.at(-1)?.body ?? '').model, 'a/b');
  assert.equal((await runCli(['alias', '--uninstall'], options)).code, 0);
  assert.equal(readFileSync(rc, 'utf8'), 'export MINE=1\n');
  assert.ok(!existsSync(join(home, '.config', 'damask', 'aliases.bash')));
});

test('the clipboard is a program, else the terminal, else refused before the run', hasScript, async () => {
  await using server = await nameServer();
  const home = makeFolder();
  const bin = join(home, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'xclip'), `#!/bin/sh\ncat > '${home}/copied'\n`);
  chmodSync(join(bin, 'xclip'), 0o755);
  const env = { DISPLAY: ':0', PATH: `${bin}:/bin:/usr/bin` };
  const done = await runCli(['run', 'summarize', '-c'], { url: server.url, env, home, input: 'mail' });
  assert.deepEqual([done.code, done.stdout], [0, 'A short answer.\n'], done.stderr);
  assert.equal(readFileSync(join(home, 'copied'), 'utf8'), 'A short answer.\n');
  rmSync(join(bin, 'xclip'));
  const bare = { DISPLAY: '', WAYLAND_DISPLAY: '', PATH: bin };
  const seen = server.seen.length;
  const refused = await runCli(['run', 'summarize', '-c'], { url: server.url, env: bare, home, input: 'mail' });
  assert.deepEqual([refused.code, server.seen.length], [6, seen]);
  assert.match(refused.stderr, /no clipboard here/);
  const line = 'damask run summarize --no-stream -c text < /dev/null';
  const shown = await typeOnTerminal(line, { url: server.url, env: { ...bare, PATH: '/bin:/usr/bin' } }, []);
  assert.ok(shown.includes(`^]52;c;${Buffer.from('A short answer.\n').toString('base64')}\x07`), JSON.stringify(shown));
});
