import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { finishedRun, sendJson, sseFrame, startScriptedServer } from '../../sdk/test/scripted-server.ts';
import { cliEnvironment } from './run-cli.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const hasScript = spawnSync('script', ['--version']).status === 0;
const options = hasScript ? {} : { skip: 'needs script of util-linux to make a terminal' };

/** Runs a shell line on a terminal of its own and answers what it shows. */
function onTerminal(line: string, columns: number, url: string, env: Record<string, string> = {}): Promise<string> {
  const command = `stty cols ${columns} rows 24; ${line.replaceAll('damask', `'${process.execPath}' '${main}'`)}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...cliEnvironment({ url }), TERM: 'xterm-256color', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  return new Promise((resolve) =>
    child.on('close', () => resolve(shown.replaceAll('\r\n', '\n').replaceAll('\u001b', '^'))),
  );
}

test(
  'on a terminal the answer streams, cannot send control codes, and is followed by its figures',
  options,
  async () => {
    await using server = await startScriptedServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const text of ['one\r\n', 'two \u001b]52;c;cm0=\u0007\u009b2J', ' three']) {
        response.write(sseFrame('output.delta', 4, { text }));
      }
      response.end(sseFrame('run.succeeded', 4, finishedRun()));
    });
    const shown = await onTerminal('echo mail | damask run summarize', 100, server.url);
    assert.match(server.seen[0]?.body ?? '', /"stream":true/);
    assert.ok(shown.startsWith('one\ntwo \uFFFD]52;c;cm0=\uFFFD\uFFFD2J three\n'), JSON.stringify(shown));
    assert.match(
      shown,
      /\^\[2msummarize@3 · local\/smollm2-135m-instruct · 120 in, 34 out · cost \$0\.001234 · 1\.3 s/,
    );
  },
);

test('tables fit the terminal and are coloured, unless NO_COLOR says otherwise', options, async () => {
  await using server = await startScriptedServer((_, response) =>
    sendJson(response, 200, { items: [finishedRun({ pattern: 'a_very_long_name_of_a_pattern_that_nobody_types' })] }),
  );
  const coloured = await onTerminal('damask runs', 100, server.url);
  assert.match(coloured, /\^\[1mRUN\^\[0m/);
  assert.match(coloured, /\^\[32msucceeded\^\[0m/);
  for (const columns of [60, 80, 100, 160]) {
    const plain = await onTerminal('damask runs', columns, server.url, { NO_COLOR: '1' });
    assert.doesNotMatch(plain, /\^/);
    const widest = Math.max(...plain.split('\n').map((line) => [...line].length));
    assert.ok(widest <= columns, `${widest} columns on a terminal of ${columns}`);
    assert.match(plain, /^000000000001 /m, 'the end of the id is never cut');
    if (columns >= 80) assert.match(plain, /COST +TIME/);
  }
});
