import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finishedRun, runId, sendJson, sendProblem, startScriptedServer } from '../../sdk/test/scripted-server.ts';
import { runCli } from './run-cli.ts';

const pattern = {
  id: '0199a000-0000-7000-8000-0000000000b1',
  name: 'summarize',
  title: 'Summarize',
  description: 'What matters, in three sentences.',
  tags: ['WRITING'],
  version: 3,
  digest: 'sha256:00',
  labels: { stable: 2 },
  variables: [],
  disabled_capabilities: [],
  source: { kind: 'starter' },
  created_at: '2026-11-22T10:00:00.000Z',
  updated_at: '2026-11-22T10:00:00.000Z',
  deleted_at: null,
  deprecated: { successor: 'shorten', message: 'Too long.', at: '2026-11-23T10:00:00Z' },
};
const version = {
  pattern: 'summarize',
  version: 2,
  digest: 'sha256:11',
  labels: ['stable'],
  message: 'Shorter',
  source: { kind: 'import', origin: 'https://example.com/patterns' },
  created_at: '2026-11-22T10:00:00.000Z',
  created_by: null,
  title: 'Summarize',
  description: 'What matters, in three sentences.',
  tags: ['WRITING'],
  model: null,
  parameters: { temperature: 0.2 },
  variables: [
    { name: 'tone', type: 'enum', values: ['dry', 'warm'], required: false, default: 'dry', declared: true },
    { name: 'lang', type: 'string', required: true, declared: false },
  ],
  literal_tokens: ['{{Hostname}}'],
  disabled_capabilities: [],
  files: [{ path: 'system.md', content: 'You summarize.' }],
  author: 'Ada',
  owner: 'Team Text',
  language: 'de',
  models: [
    { name: 'openai/a', weight: 3 },
    { name: 'local/b', weight: 1 },
  ],
  fallbacks: ['local/c'],
  output: { type: 'json', schema: { type: 'object' }, max_characters: null },
  limits: { input_characters: 2000, timeout_ms: null },
  tools: [],
  cache: { ttl_seconds: 60 },
  data_class: 'internal',
  on_uncertain: 'fail',
  steps: [],
  includes: [{ pattern: 'style', section: 'Tone', version: 4, digest: 'sha256:0', through: ['letter'] }],
};
const key = {
  id: '0199a000-0000-7000-8000-0000000000c1',
  name: 'ci',
  role: 'runner',
  prefix: 'dmk_abcd',
  created_at: '2026-11-22T10:00:00.000Z',
  created_by: null,
  expires_at: null,
  revoked_at: null,
};
const local = {
  name: 'local/m',
  provider: 'local',
  default: true,
  ready: true,
  note: null,
  context_window: 2048,
  input_price: 0,
  output_price: 0,
};

test('patterns are listed as a table, by name, or as JSON, over all pages', async () => {
  await using server = await startScriptedServer(({ url }, response) =>
    sendJson(
      response,
      200,
      url.includes('cursor=')
        ? { items: [{ ...pattern, name: 'tags', deprecated: null }] }
        : { items: [pattern], next: 'c' },
    ),
  );
  const table = await runCli(['patterns', '--search', 'x y', '--tag', 'WRITING'], { url: server.url });
  assert.equal(server.seen[0]?.url, '/v1/patterns?limit=200&search=x+y&tag=WRITING');
  assert.deepEqual(table.stdout.split('\n'), [
    'PATTERN    VERSION  TAGS     DESCRIPTION',
    'summarize        3  WRITING  [deprecated, use shorten] What matters, in three sentences.',
    'tags             3  WRITING  What matters, in three sentences.',
    '',
  ]);
  assert.equal((await runCli(['-l'], { url: server.url })).stdout, 'summarize\ntags\n');
  assert.equal(JSON.parse((await runCli(['patterns', '--json'], { url: server.url })).stdout).length, 2);
  server.script((_, response) => sendJson(response, 200, { items: [] }));
  const none = await runCli(['patterns'], { url: server.url });
  assert.deepEqual([none.code, none.stdout], [0, '']);
  assert.match(none.stderr, /damask import/);
});

test('show prints what a version is and its text', async () => {
  await using server = await startScriptedServer(({ url }, response) =>
    sendJson(response, 200, url.endsWith('/versions/2') ? version : pattern),
  );
  const { stdout } = await runCli(['show', 'summarize', '--version', '2'], { url: server.url });
  for (const part of [
    /^summarize {2}Summarize\nWhat matters/,
    /Version +2 of 3, .*import, https:\/\/example.com\/patterns/,
    /Labels +stable → 2/,
    /Deprecated +since .*\. Too long\. Use shorten instead\./,
    /Version .*, Ada, /,
    /Model +openai\/a \(3\), local\/b\n/,
    /Settings +answers json by a schema, input at most 2000 characters, in de, cached for 60 s\n/,
    /Includes +style#Tone version 4 \(through letter\)/,
    /Variables +tone \(one of dry, warm, default "dry"\)\n +lang \(string, required\)/,
    /Literal +\{\{Hostname\}\}/,
    /--- system.md\nYou summarize.\n$/,
  ]) {
    assert.match(stdout, part);
  }
  const text = await runCli(['show', 'summarize', '--text', '--version', '2'], { url: server.url });
  assert.equal(text.stdout, 'You summarize.');
});

test('runs are listed with tokens, cost and latency; an unknown price is not 0', async () => {
  const failed = { code: 'provider_error', detail: 'It failed.' };
  const items = [
    finishedRun(),
    finishedRun({ status: 'failed', error: failed, cost_micros: null, total_ms: 83.4 }),
    finishedRun({
      status: 'running',
      usage: { input_tokens: null, output_tokens: null },
      cost_micros: 0,
      total_ms: null,
    }),
  ];
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, { items, next: 'more' }));
  const args = ['runs', '-n', '3', '--status', 'failed', '-p', 'summarize', '-m', 'local/m', '--since', '2026-11-01'];
  const { stdout } = await runCli(args, { url: server.url });
  assert.equal(
    server.seen[0]?.url,
    '/v1/runs?limit=3&pattern=summarize&model=local%2Fm&status=failed&since=2026-11-01T00%3A00%3A00.000Z',
  );
  assert.equal(server.seen.length, 1, 'no page is asked for that is not shown');
  const rows = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  assert.deepEqual(rows[0], ['RUN', 'WHEN', 'PATTERN', 'MODEL', 'STATUS', 'IN', 'OUT', 'COST', 'TIME']);
  assert.deepEqual(rows[1]?.slice(2), [
    'summarize@3',
    'local/smollm2-135m-instruct',
    'succeeded',
    '120',
    '34',
    '$0.001234',
    '1.3 s',
  ]);
  assert.deepEqual(rows[2]?.slice(4), ['provider_error', '120', '34', 'unknown', '83 ms']);
  assert.deepEqual(rows[3]?.slice(4), ['running', '-', '-', '$0', '-']);
  assert.equal((await runCli(['runs', '--status', 'lost'], { url: server.url })).code, 2);
});

test('one run is shown, the last where no id is given, and can be cancelled', async () => {
  await using server = await startScriptedServer(({ method, url }, response) => {
    if (method === 'POST') sendJson(response, 202, finishedRun({ status: 'running' }));
    else sendJson(response, 200, url.startsWith('/v1/runs?') ? { items: [finishedRun()] } : finishedRun());
  });
  const { stdout } = await runCli(['runs', 'show', 'last'], { url: server.url });
  assert.match(
    stdout,
    /^Run 0199[\s\S]*Status +succeeded[\s\S]*Tokens +120 in, 34 out[\s\S]*--- output\nA short answer\.\n$/,
  );
  const output = await runCli(['runs', 'show', runId.toUpperCase(), '--output'], { url: server.url });
  assert.equal(output.stdout, 'A short answer.\n');
  assert.equal(server.seen.at(-1)?.url, `/v1/runs/${runId}`);
  const cancelled = await runCli(['runs', 'cancel', 'last'], { url: server.url });
  assert.match(cancelled.stderr, /being cancelled/);
  assert.equal(server.seen.at(-1)?.url, `/v1/runs/${runId}/cancel`);
  server.script((_, response) => sendJson(response, 200, { items: [] }));
  assert.equal((await runCli(['runs', 'show', 'last'], { url: server.url })).code, 5);
});

test('models, strategies and keys are listed', async () => {
  await using server = await startScriptedServer(({ url }, response) => {
    if (url === '/v1/models')
      sendJson(response, 200, {
        items: [
          local,
          {
            ...local,
            name: 'x/y',
            ready: false,
            note: 'no key',
            input_price: 250000,
            cached_input_price: 50000,
            price_source: 'catalogue',
            price_as_of: '2026-10-07',
          },
        ],
      });
    else if (url.startsWith('/v1/strategies'))
      sendJson(response, 200, { items: [{ name: 'cot', description: 'Step by step' }] });
    else sendJson(response, 200, { items: [key, { ...key, name: 'old', revoked_at: key.created_at }] });
  });
  const models = await runCli(['models'], { url: server.url });
  assert.match(
    models.stdout,
    /local\/m +default +2048 +\$0 +\$0 +unknown +own\nx\/y +not ready +2048 +\$0\.25 +\$0 +\$0\.05 +2026-10-07 +no key\n$/,
  );
  assert.match((await runCli(['strategies'], { url: server.url })).stdout, /cot +Step by step/);
  const keys = await runCli(['keys'], { url: server.url });
  assert.match(keys.stdout, /ci +runner +dmk_abcd +\S+ \S+ +valid\n.*old .*revoked/);
});

test('a new key is alone on stdout', async () => {
  await using server = await startScriptedServer((_, response) => sendJson(response, 201, { ...key, key: 'dmk_new' }));
  const args = ['keys', 'create', '--name', 'ci', '--role', 'runner', '--expires', '2027-06-30'];
  const done = await runCli(args, { url: server.url });
  assert.equal(done.stdout, 'dmk_new\n');
  assert.match(done.stderr, /shown this once/);
  assert.deepEqual(JSON.parse(server.seen[0]?.body ?? ''), {
    name: 'ci',
    role: 'runner',
    expires_at: '2027-06-30T00:00:00.000Z',
  });
  const king = await runCli(['keys', 'create', '--name', 'ci', '--role', 'king'], { url: server.url });
  assert.equal(king.code, 2);
  assert.match(king.stderr, /no role 'king'.*viewer, runner.*damask keys create --name ci --role runner/);
  server.script((_, response) => sendJson(response, 200, { ...key, revoked_at: key.created_at }));
  assert.match((await runCli(['keys', 'revoke', key.id], { url: server.url })).stderr, /is revoked/);
});

test('whoami names the server, the workspace and the permissions', async () => {
  const me = {
    workspace: { id: key.id, name: 'default', created_at: key.created_at },
    actor: { kind: 'key', id: key.id, name: 'ci', role: 'runner' },
    permissions: ['run:execute', 'run:read'],
    patterns: ['mail'],
    environments: null,
    teams: [],
  };
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, me));
  const { stdout } = await runCli(['whoami'], { url: server.url });
  assert.match(stdout, /Server +http:\/\/127[\s\S]*default[\s\S]*runner[\s\S]*run:execute, run:read\nPatterns +mail/);
});

test('what a server says cannot move the cursor or make up lines of a table', async () => {
  const hostile = { ...pattern, description: 'a\u001b]0;title\u0007b\nfake  row' };
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, { items: [hostile] }));
  const { stdout } = await runCli(['patterns'], { url: server.url });
  assert.match(stdout, /a\uFFFD\]0;title\uFFFDb fake row\n$/);
  server.script((_, response) => sendProblem(response, 422, 'policy_refused', { detail: 'no\u001b[2J' }));
  assert.match((await runCli(['patterns'], { url: server.url })).stderr, /^damask: no\uFFFD\[2J\n/);
});

test('help needs no server and has an example for every command', async () => {
  const { commands } = await import('../src/commands.ts');
  const overall = await runCli([]);
  assert.equal(overall.code, 0);
  for (const [name, { load }] of Object.entries(commands)) {
    assert.match(overall.stdout, new RegExp(`^ {2}${name} `, 'm'));
    const command = await load();
    assert.equal(command.name, name);
    assert.ok(command.examples.length > 0, name);
  }
  const one = await runCli(['runs', 'show', '--help']);
  assert.match(
    one.stdout,
    /^damask runs show <id>\|last \[flags\]\n[\s\S]*--output[\s\S]*Examples\n {2}damask runs show last/,
  );
  assert.equal((await runCli(['help', 'runs', 'show'])).stdout, one.stdout);
  assert.match((await runCli(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
});

test('an unknown command is answered with the one that was probably meant', async () => {
  const near = await runCli(['patern']);
  assert.equal(near.code, 2);
  assert.match(near.stderr, /no command 'patern'\. Did you mean `damask patterns`\?/);
  assert.match((await runCli(['model'])).stderr, /Write: damask model pull/);
  assert.match((await runCli(['xyzzy'])).stderr, /To run a pattern: damask run xyzzy/);
  assert.match((await runCli(['show'])).stderr, /Write: damask show <pattern>/);
  assert.match((await runCli(['runs', 'shw', 'last'])).stderr, /'shw' is one argument too many/);
  const wrong = await runCli(['patterns'], { env: { DAMASK_URL: 'nowhere' } });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /DAMASK_URL is 'nowhere'/);
});
