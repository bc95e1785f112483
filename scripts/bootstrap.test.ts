import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const places = (process.env.PATH ?? '').split(delimiter);
/** The oldest Node at hand: that of the machine, which may well be 20. */
const outside = places.filter((place) => !place.includes('node_modules') && place !== dirname(process.execPath));
const systemNode = outside.map((place) => join(place, 'node')).find((path) => existsSync(path)) ?? process.execPath;

/** A small house with our launcher, a server that is told what to do by its arguments, and an npm of our own. */
function makeHouse(npm = 'exit 1'): string {
  const house = realpathSync(mkdtempSync(join(tmpdir(), 'a house ')));
  after(() => rmSync(house, { recursive: true, force: true }));
  for (const file of ['scripts/bootstrap.mjs', 'scripts/install.mjs', 'cli/bin/node24.mjs', 'cli/bin/damask.mjs']) {
    cpSync(join(root, file), join(house, file));
  }
  mkdirSync(join(house, 'server/src'), { recursive: true });
  mkdirSync(join(house, 'cli/src'), { recursive: true });
  mkdirSync(join(house, 'bin'));
  writeFileSync(join(house, 'package.json'), '{"type":"module"}');
  writeFileSync(join(house, 'package-lock.json'), '{"packages":{"node_modules/a":{"version":"1.0.0"}}}');
  const program = `
    const [, , ...words] = process.argv;
    const wait = setInterval(() => {}, 1000);
    process.on('SIGTERM', () => { console.log('asked to stop'); setTimeout(() => { console.log('stopped'); process.exit(7); }, 200); });
    console.log(JSON.stringify({ words, node: process.versions.node, npm: process.env.npm_config_foo ?? null }));
    const code: string | undefined = words.at(-1);
    if (code !== 'wait') { clearInterval(wait); process.exitCode = Number(code); }
  `;
  writeFileSync(join(house, 'server/src/main.ts'), program);
  writeFileSync(join(house, 'cli/src/main.ts'), program);
  writeFileSync(join(house, 'bin/npm'), `#!/bin/sh\n${npm}\n`);
  chmodSync(join(house, 'bin/npm'), 0o755);
  return house;
}

function install(house: string): void {
  mkdirSync(join(house, 'node_modules/a'), { recursive: true });
  writeFileSync(join(house, 'node_modules/.package-lock.json'), readFileSync(join(house, 'package-lock.json')));
  const node = `node-${process.platform}-${process.arch}`;
  mkdirSync(join(house, 'node_modules', node, 'bin'), { recursive: true });
  symlinkSync(process.execPath, join(house, 'node_modules', node, 'bin/node'));
}

const npmThatInstalls = `echo begin >> diary; sleep 0.5; mkdir -p node_modules/a node_modules/node-${process.platform}-${process.arch}/bin
  ln -sf "${process.execPath}" node_modules/node-${process.platform}-${process.arch}/bin/node; echo end >> diary`;

function launch(house: string, command: string, args: readonly string[]): ChildProcess & { text(): string } {
  const { npm_execpath: _, ...environment } = process.env;
  const child = spawn(command, args, {
    cwd: house,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environment, PATH: `${join(house, 'bin')}${delimiter}${process.env.PATH}`, npm_config_foo: 'from npm' },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += chunk));
  return Object.assign(child, { text: () => text });
}

const bootstrap = (house: string, ...args: string[]) => launch(house, systemNode, ['scripts/bootstrap.mjs', ...args]);

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 15_000;
  while (!holds()) {
    assert.ok(performance.now() < end, `waited too long for ${holds}`);
    await sleep(20);
  }
}

test('a task runs under Node 24 with its arguments, without the settings of npm, and its exit code comes back', async () => {
  const house = makeHouse();
  install(house);
  const run = bootstrap(house, 'start', 'a b', '3');
  assert.deepEqual(await once(run, 'close'), [3, null]);
  const { words, node, npm } = JSON.parse(run.text());
  assert.deepEqual(words, ['serve', 'a b', '3']);
  assert.ok(Number(node.split('.')[0]) >= 24, node);
  assert.equal(npm, null);
});

test('SIGTERM stops the server cleanly, and nothing ends before it', async () => {
  const house = makeHouse();
  install(house);
  for (const command of [['scripts/bootstrap.mjs', 'start'], ['cli/bin/damask.mjs']]) {
    const run = launch(house, systemNode, [...command, 'wait']);
    await until(() => run.text().includes('words'));
    run.kill('SIGTERM');
    assert.deepEqual(await once(run, 'close'), [7, null]);
    assert.match(run.text(), /asked to stop\nstopped\n$/);
  }
});

test('the server stops when the shell that npm put in between is killed', async () => {
  const house = makeHouse();
  install(house);
  const shell = launch(house, 'sh', ['-c', `"${systemNode}" scripts/bootstrap.mjs start wait; true`]);
  await until(() => shell.text().includes('words'));
  shell.kill('SIGKILL');
  await until(() => shell.text().includes('stopped'));
});

test('two starts at once install once, also after an installation that was killed', async () => {
  const house = makeHouse(npmThatInstalls);
  const first = bootstrap(house, 'start', '0');
  await until(() => existsSync(join(house, 'diary')));
  first.kill('SIGKILL');
  await once(first, 'exit');

  const runs = [bootstrap(house, 'start', '0'), bootstrap(house, 'start', '0')];
  for (const [code] of await Promise.all(runs.map((run) => once(run, 'close')))) assert.equal(code, 0);
  // The second entry: npm outlived the first start, was waited for, and is not trusted without its starter's stamp.
  assert.equal(readFileSync(join(house, 'diary'), 'utf8'), 'begin\nend\nbegin\nend\n');

  writeFileSync(join(house, 'package-lock.json'), '{"packages":{"node_modules/a":{"version":"2.0.0"}}}');
  const later = bootstrap(house, 'start', '0');
  await once(later, 'close');
  assert.match(later.text(), /The dependencies changed/);
});

test('an installation that fails says what to do', async () => {
  const cases = [
    ['npm error network request failed, reason: getaddrinfo ENOTFOUND', /registry was not reached/],
    ['npm error code EACCES', /cannot be written/],
    ['npm error ENOSPC: no space left on device, write', /disk is full/],
    ['npm error code EUSAGE', /Run `npm install` once/],
  ] as const;
  for (const [words, advice] of cases) {
    const run = bootstrap(makeHouse(`echo '${words}' >&2; exit 1`), 'start', '0');
    assert.deepEqual(await once(run, 'close'), [1, null]);
    assert.match(run.text(), advice);
  }
});

test('the command line of a clone that was never installed says so', async () => {
  const house = makeHouse();
  const run = launch(house, systemNode, ['cli/bin/damask.mjs', '0']);
  const [code] = await once(run, 'close');
  if (systemNode === process.execPath) return;
  assert.equal(code, 1);
  assert.match(run.text(), /Run `npm start` or `npm install` once in .*a house/);
});
