// Plain JavaScript without dependencies for any Node from 18 on: it installs what is missing and runs a task under Node 24.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode24 } from '../cli/bin/node24.mjs';
import { cleanEnvironment, ensureInstalled } from './install.mjs';

const root = realpathSync(dirname(dirname(fileURLToPath(import.meta.url))));
const wings = ['contracts', 'server', 'sdk', 'cli', 'scripts', 'tests', 'bench'];
// No text becomes code, and no object of a stranger reaches what all objects stand on.
const strict = ['--disallow-code-generation-from-strings', '--disable-proto=delete'];
const tool = (path) => join('node_modules', ...path.split('/'));
const say = (text) => process.stderr.write(`[damask] ${text}\n`);

// What a run makes must die young; docs/decisions/0010-hot-path.md says what both flags save. The space grows only under load.
const serverFlags = [
  ...strict,
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=64',
  '--no-allocation-site-pretenuring',
];

const tasks = {
  start: (args) => node([...serverFlags, 'server/src/main.ts', 'serve', ...args]),
  test: (args) => node(testRun(args, { deep: false })),
  'test:deep': (args) => node(testRun(args, { deep: true })),
  check,
  format: (args) => node([tool('@biomejs/biome/bin/biome'), 'check', '--write', ...(args.length ? args : ['.'])]),
  generate: (args) => node([...strict, 'scripts/generate.ts', ...args]),
  bench: (args) => node([...serverFlags, 'bench/run.ts', ...args]),
  faults: (args) => node([...strict, '--disable-warning=ExperimentalWarning', 'tests/faults/faults.ts', ...args]),
};

const [task = '', ...rest] = process.argv.slice(2);
let current;
let stopping = false;
let ended;
watchSignals();
process.exitCode = await main();
if (ended) raise(ended);

async function main() {
  const work = tasks[task];
  if (!work) {
    say(`Unknown task "${task}". There are: ${Object.keys(tasks).join(', ')}.`);
    return 2;
  }
  const problem = await ensureInstalled({ root, run: runQuietly, say });
  if (stopping) return 130;
  if (problem) {
    say(problem);
    return 1;
  }
  if (!findNode24(root)) {
    say(`No Node 24 comes for ${process.platform} on ${process.arch}. Install Node 24.12 or newer and try again.`);
    return 1;
  }
  return work(rest);
}

function testRun(args, { deep }) {
  const places = args.filter((arg) => !arg.startsWith('-'));
  const files =
    places.length > 0 ? places.flatMap((place) => expand(place, deep)) : wings.flatMap((wing) => expand(wing, deep));
  const limits = deep ? ['--test-concurrency=2'] : ['--test-concurrency=4', '--test-timeout=300000'];
  return [
    ...strict,
    '--disable-warning=ExperimentalWarning',
    '--test',
    ...limits,
    '--test-global-setup=server/src/platform/testing/test-run.ts',
    '--test-reporter=./scripts/test-reporter.mjs',
    '--test-reporter-destination=stdout',
    ...args.filter((arg) => arg.startsWith('-')),
    ...files,
  ];
}

/** A folder stands for the tests in it; a file or a glob of Node's runner for itself. */
function expand(place, deep) {
  if (!existsSync(join(root, place)) || !statSync(join(root, place)).isDirectory()) {
    return wings.includes(place) ? [] : [place];
  }
  const found = [];
  for (const entry of readdirSync(join(root, place), { withFileTypes: true })) {
    const path = `${place.replace(/\/$/, '')}/${entry.name}`;
    if (entry.isDirectory() && entry.name !== 'node_modules') found.push(...expand(path, deep));
    else if (entry.name.endsWith('.test.ts') && entry.name.endsWith('.deep.test.ts') === deep) found.push(path);
  }
  return found.sort();
}

async function check(args) {
  const present = wings.filter((wing) => existsSync(join(root, wing)));
  const steps = [
    ['format and lint', [tool('@biomejs/biome/bin/biome'), 'check', '.']],
    [
      'walls',
      [tool('dependency-cruiser/bin/dependency-cruiser.mjs'), '--config', '.dependency-cruiser.mjs', ...present],
    ],
    ['types', [tool('typescript/bin/tsc'), '-p', '.', '--incremental', '--tsBuildInfoFile', tool('.tsbuildinfo')]],
    ['generated files', [...strict, 'scripts/generate.ts', '--check']],
  ];
  if (!args.includes('--no-test')) steps.push(['tests', testRun([], { deep: false })]);
  const lines = [];
  let failed = 0;
  for (const [name, command] of steps) {
    const begun = Date.now();
    const code = await node(command);
    if (stopping) return 130;
    if (code !== 0) failed += 1;
    lines.push(`${code === 0 ? 'ok    ' : 'FAILED'} ${name}, ${((Date.now() - begun) / 1000).toFixed(1)} s`);
    say(lines.at(-1));
  }
  say(`check: ${failed === 0 ? 'all is well' : `${failed} of ${steps.length} steps failed`}\n  ${lines.join('\n  ')}`);
  return failed === 0 ? 0 : 1;
}

/** Runs Node 24 in the house and answers its exit code. */
async function node(args) {
  const binary = findNode24(root);
  const environment = cleanEnvironment(process.env);
  environment.PATH = [dirname(binary), process.env.PATH].filter(Boolean).join(delimiter);
  // In node_modules and not in a temporary folder, where others could put compiled code for us to run.
  environment.NODE_COMPILE_CACHE ??= join(root, 'node_modules', '.compile-cache');
  const { code } = await run(binary, args, { stdio: 'inherit', env: environment });
  return code;
}

/** For npm: its words are only of interest when it fails. */
function runQuietly(command, args, onStart) {
  const options = { stdio: ['pipe', 'pipe', 'pipe'], env: cleanEnvironment(process.env) };
  if (process.platform === 'win32') return run(command, args, options, onStart);
  // It begins only when its pid is noted: an npm that nobody knows of would outlive us and meet the next installation.
  return run('sh', ['-c', 'read -r go && exec "$@"', 'sh', command, ...args], options, onStart);
}

function run(command, args, options, onStart = () => {}) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, { cwd: root, ...options });
    current = child;
    if (child.pid) onStart(child.pid);
    child.stdin?.on('error', () => {}).end('go\n');
    const collect = (chunk) => {
      output = (output + chunk).slice(-20_000);
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    const done = (code, signal) => {
      current = undefined;
      if (signal) ended = signal;
      resolve({ code: code ?? 1, output });
    };
    child.once('error', (error) => {
      collect(String(error));
      if (options.stdio === 'inherit') say(`${command} could not be started: ${error.message}`);
      done(1, null);
    });
    child.once('close', done);
  });
}

/** We never end before the child: it gets the signal, and we wait for it. */
function watchSignals() {
  // Ctrl-C reaches the child by itself when there is a terminal; a second SIGINT could mean "at once" to it.
  const terminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      stopping = true;
      if (!current) raise(signal);
      else if (signal !== 'SIGINT' || !terminal) current.kill(signal);
    });
  }
  // npm passes SIGTERM to its `sh -c`, which dies of it and tells nobody: being orphaned is the only sign.
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid === parent) return;
    stopping = true;
    if (current) current.kill('SIGTERM');
    else process.exit(1);
  }, 250).unref();
}

/** Ends this process by the signal that ended its child, so that callers see the same. */
function raise(signal) {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 100);
}
