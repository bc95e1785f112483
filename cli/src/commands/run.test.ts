import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  finishedRun,
  runId,
  sendJson,
  sendProblem,
  sseFrame,
  startScriptedServer,
} from '../../../sdk/test/scripted-server.ts';
import { cliEnvironment, main, makeFolder, runCli, startCli } from '../../test/run-cli.ts';

const accepted = sseFrame('run.accepted', 0, { id: runId, pattern: 'summarize', version: 3, model: 'local/m' });

const options = existsSync('/dev/full') ? {} : { skip: 'needs /dev/full' };

async function runServer() {
  return startScriptedServer(({ body }, response) => {
    if (!body.includes('"stream":true')) return sendJson(response, 200, finishedRun());
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(accepted);
    for (const text of ['A short ', 'answer.']) response.write(sseFrame('output.delta', 8, { text }));
    response.end(sseFrame('run.succeeded', 15, finishedRun({ output: 'A short answer.' })));
  });
}

test('what is piped in goes to the pattern, and the answer alone to stdout', async () => {
  await using server = await runServer();
  const done = await runCli(['run', 'summarize'], { url: server.url, input: 'the mail\n' });
  assert.deepEqual(done, { code: 0, stdout: 'A short answer.\n', stderr: '' });
  assert.deepEqual(JSON.parse(server.seen[0]?.body ?? ''), {
    pattern: 'summarize',
    input: 'the mail\n',
    stream: false,
  });
  assert.equal(server.seen[0]?.headers.authorization, 'Bearer dmk_test');
});

test("Fabric's forms do the same: flags alone, values after = and #name:value", async () => {
  await using server = await runServer();
  const args = [
    '-p=summarize',
    '-m=openai/gpt-5-mini',
    '-v=#lang:de',
    '-v=tone:kind=er',
    '-v',
    'name=a:b',
    '-t',
    '0.5',
  ];
  const done = await runCli([...args, '-sT', '0.9', '-e', '7', 'the', 'text'], { url: server.url, input: 'the mail' });
  assert.deepEqual(done, { code: 0, stdout: 'A short answer.\n', stderr: '' });
  assert.deepEqual(JSON.parse(server.seen[0]?.body ?? ''), {
    pattern: 'summarize',
    input: 'the text\nthe mail',
    stream: true,
    variables: { lang: 'de', tone: 'kind=er', name: 'a:b' },
    model: 'openai/gpt-5-mini',
    parameters: { temperature: 0.5, top_p: 0.9, seed: 7 },
  });
});

test('every choice of a run reaches the server', async () => {
  await using server = await runServer();
  const args = ['run', 'summarize', '--pattern-version', '2', '--label', 'x', '--environment', 'production'];
  const more = ['--strategy', 'cot', '--max-tokens', '90', '--metadata', 'ticket=7', '--timeout', '2m', '-V', 'Openai'];
  await runCli([...args, ...more, '-m', 'gpt-5-mini', '-P', '-0.5', '-F', '1', '--no-stream', '--', '-x'], {
    url: server.url,
  });
  assert.deepEqual(JSON.parse(server.seen[0]?.body ?? ''), {
    pattern: 'summarize',
    input: '-x',
    stream: false,
    version: 2,
    label: 'x',
    environment: 'production',
    strategy: 'cot',
    model: 'openai/gpt-5-mini',
    parameters: { presence_penalty: -0.5, frequency_penalty: 1, max_tokens: 90 },
    metadata: { ticket: '7' },
    timeout_ms: 120_000,
  });
});

test('-o also writes the answer to a file, and an unusable file is refused before the run', async () => {
  await using server = await runServer();
  const file = join(makeFolder(), 'answer.md');
  const done = await runCli(['run', 'summarize', '-s', '-o', file], { url: server.url, input: 'x' });
  assert.equal(done.stdout, 'A short answer.\n');
  assert.equal(readFileSync(file, 'utf8'), 'A short answer.\n');
  const refused = await runCli(['run', 'summarize', '-o', join(file, 'below.md')], { url: server.url, input: 'x' });
  assert.equal(refused.code, 6);
  assert.match(refused.stderr, /cannot be written/);
  assert.equal(server.seen.length, 1);
});

test('--json prints the run, and with -s one event on a line', async () => {
  await using server = await runServer();
  const whole = await runCli(['run', 'summarize', '--json'], { url: server.url, input: 'x' });
  assert.equal(JSON.parse(whole.stdout).id, runId);
  const lines = await runCli(['run', 'summarize', '--json', '-s'], { url: server.url, input: 'x' });
  assert.deepEqual(
    lines.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).event),
    ['run.accepted', 'output.delta', 'output.delta', 'run.succeeded'],
  );
});

test('--dry-run prints the messages and calls no model', async () => {
  await using server = await startScriptedServer((_, response) =>
    sendJson(response, 200, {
      pattern: 'summarize',
      version: 3,
      digest: 'sha256:00',
      model: null,
      parameters: { temperature: 0.2 },
      messages: [
        { role: 'system', content: 'You summarize.\n' },
        { role: 'user', content: 'the {{mail}}' },
      ],
    }),
  );
  const done = await runCli(['run', 'summarize', '--dry-run'], { url: server.url, input: 'the {{mail}}' });
  assert.equal(done.stdout, '--- system\nYou summarize.\n\n--- user\nthe {{mail}}\n');
  assert.match(done.stderr, /summarize@3 sha256:00 no model yet temperature=0.2/);
  assert.equal(server.seen[0]?.url, '/v1/render');
});

test('a run that fails leaves stdout empty and says why and under which name', async () => {
  await using server = await startScriptedServer((_, response) =>
    sendProblem(response, 502, 'truncated', { run_id: runId, detail: 'The answer was cut off.' }),
  );
  const done = await runCli(['run', 'summarize'], { url: server.url, input: 'x' });
  assert.equal(done.code, 1);
  assert.equal(done.stdout, '');
  assert.match(done.stderr, /^damask: The answer was cut off\.\n/);
  assert.match(done.stderr, new RegExp(`damask runs show ${runId}`));
  assert.match(done.stderr, /\(truncated, run 0199.*, request req-1\)/);
});

test('a stream that fails keeps what came, ends the line and exits with 1', async () => {
  await using server = await startScriptedServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(accepted);
    response.write(sseFrame('output.delta', 4, { text: 'half' }));
    const error = { code: 'timeout', detail: 'It took too long.' };
    response.end(sseFrame('run.failed', 4, finishedRun({ status: 'failed', error, output: 'half' })));
  });
  const file = join(makeFolder(), 'answer.md');
  const done = await runCli(['run', 'summarize', '-s', '-o', file], { url: server.url, input: 'x' });
  assert.equal(done.code, 1);
  assert.equal(done.stdout, 'half\n');
  assert.match(done.stderr, /It took too long\.\n {2}Allow more time with --timeout/);
  assert.ok(!existsSync(file));
  server.script((_, response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(accepted));
  const cut = await runCli(['run', 'summarize', '-s'], { url: server.url, input: 'x' });
  assert.equal(cut.code, 1);
  assert.match(cut.stderr, /ended before the run did[\s\S]*truncated, run 0199/);
});

test('each kind of refusal has its exit code', async () => {
  await using server = await startScriptedServer(() => undefined);
  const cases = [
    [400, 'missing_variable', 6],
    [401, 'unauthenticated', 4],
    [403, 'forbidden', 4],
    [404, 'model_not_found', 5],
    [409, 'not_released', 6],
    [413, 'too_large', 6],
    [422, 'capability_disabled', 6],
    [429, 'rate_limited', 7],
    [500, 'internal', 1],
    [502, 'provider_error', 1],
    [503, 'provider_busy', 7],
    [504, 'timeout', 1],
  ] as const;
  for (const [status, code, exit] of cases) {
    server.script((_, response) =>
      sendProblem(response, status, code, {}, status === 429 ? { 'retry-after': '9' } : {}),
    );
    const done = await runCli(['run', 'summarize'], { url: server.url, input: 'x' });
    assert.equal(done.code, exit, `${code}: ${done.stderr}`);
    assert.match(done.stderr, new RegExp(`About ${code}\\.`));
    if (status === 429) assert.match(done.stderr, /Try again in 9 s/);
  }
});

test('an unknown pattern is answered with the name that was probably meant', async () => {
  await using server = await startScriptedServer(({ method }, response) => {
    if (method === 'POST') sendProblem(response, 404, 'not_found');
    else sendJson(response, 200, { items: [{ name: 'create_tags' }, { name: 'summarize' }] });
  });
  const done = await runCli(['run', 'sumarize'], { url: server.url, input: 'x' });
  assert.equal(done.code, 5);
  assert.match(done.stderr, /There is no pattern 'sumarize'\. Did you mean 'summarize'\?/);
});

test('bytes that are not UTF-8 are refused before they are sent', async () => {
  await using server = await runServer();
  const done = await runCli(['run', 'summarize'], { url: server.url, input: Uint8Array.of(0x66, 0xfc, 0x72) });
  assert.equal(done.code, 6);
  assert.match(done.stderr, /not UTF-8 text.*iconv/);
  assert.equal(server.seen.length, 0);
});

test('while the local model is on its way the command waits, unless told not to', async () => {
  let calls = 0;
  await using server = await startScriptedServer((_, response) => {
    calls += 1;
    if (calls < 2) sendProblem(response, 503, 'no_model', {}, { 'retry-after': '2' });
    else sendJson(response, 200, finishedRun());
  });
  const done = await runCli(['run', 'summarize'], { url: server.url, input: 'x' });
  assert.deepEqual([done.code, done.stdout, calls], [0, 'A short answer.\n', 2]);
  assert.match(done.stderr, /waiting; Ctrl-C gives up/);
  calls = 0;
  const refused = await runCli(['run', 'summarize', '--no-wait'], { url: server.url, input: 'x' });
  assert.equal(refused.code, 7);
  assert.match(refused.stderr, /damask model pull/);
  server.script((_, response) => sendProblem(response, 503, 'no_model', {}, { 'retry-after': '30' }));
  assert.equal((await runCli(['run', 'summarize'], { url: server.url, input: 'x' })).code, 7, 'nothing is on its way');
});

test('Ctrl-C closes the connection, so that the server cancels the run, and exits with 130', async () => {
  const closed = Promise.withResolvers<void>();
  await using server = await startScriptedServer((_, response) => {
    response.on('close', () => closed.resolve());
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(accepted);
    response.write(sseFrame('output.delta', 4, { text: 'half' }));
  });
  const cli = startCli(['run', 'summarize', '-s'], { url: server.url, input: 'x' });
  await cli.seen('half');
  cli.child.kill('SIGINT');
  await closed.promise;
  assert.deepEqual(await cli.finished, { code: 130, stdout: 'half\n', stderr: 'damask: interrupted\n' });
});

test('when nobody reads the output any more the run is given up without a word', async () => {
  const closed = Promise.withResolvers<void>();
  await using server = await startScriptedServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(accepted);
    const timer = setInterval(() => response.write(sseFrame('output.delta', 4, { text: 'more\n' })), 10);
    response.on('close', () => {
      clearInterval(timer);
      closed.resolve();
    });
  });
  const cli = startCli(['run', 'summarize', '-s'], { url: server.url, input: 'x' });
  await cli.seen('more');
  cli.child.stdout?.destroy();
  await closed.promise;
  const done = await cli.finished;
  assert.deepEqual([done.code, done.stderr], [0, '']);
});

test('an output that cannot be written is told, with an exit code of its own', options, async () => {
  await using server = await runServer();
  for (const args of [['run', 'summarize'], ['run', 'summarize', '-s'], ['help']]) {
    const child = spawn('sh', ['-c', `exec "$@" > /dev/full`, 'sh', process.execPath, main, ...args], {
      env: cliEnvironment({ url: server.url }),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const [code] = await once(child, 'close');
    assert.equal(code, 8, said);
    assert.match(said, /^damask: The output could not be written: the disk is full \(ENOSPC\)/);
  }
});

test('a command line that cannot be right is refused with the way to write it', async () => {
  const cases: [string[], RegExp][] = [
    [['run'], /Which pattern\?/],
    [['run', 'a', '--streem'], /no flag --streem\. Did you mean --stream\?/],
    [['run', 'a', '-z'], /no flag -z\..*after --/],
    [['run', 'a', '-m'], /-m needs a value: -m <provider\/model>/],
    [['run', 'a', '-m', '--json'], /-m needs a value/],
    [['run', 'a', '-m', 'gpt-5'], /'gpt-5' has no provider/],
    [['run', 'a', '-v', 'novalue'], /not of the form -v name=value/],
    [['run', 'a', '-t', 'warm'], /--temperature takes a number, not 'warm'/],
    [['run', 'a', '--timeout', 'soon'], /such as 30s/],
    [['run', 'a', '--json=yes'], /takes no value/],
    [['run', 'a', '-s', '--no-stream'], /Choose one/],
  ];
  for (const [args, expected] of cases) {
    const done = await runCli(args, { input: 'x' });
    assert.equal(done.code, 2, `${args}: ${done.stderr}`);
    assert.match(done.stderr, expected);
    assert.equal(done.stdout, '');
  }
});
