// Plain JavaScript without dependencies for any Node from 18 on: it runs before anything is installed.
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const staleAfterMs = 600_000;

/**
 * Runs `npm ci` when what is installed is not what the lock file says. `run(command, args, onStart)` starts npm once
 * `onStart(pid)` is done, and answers { code, output }. Answers undefined when all is well, else a sentence that says what to do.
 */
export async function ensureInstalled({ root, run, say }) {
  const stampFile = join(root, 'node_modules', '.install-stamp');
  const wanted = fingerprint(root);
  const fits = () => read(stampFile) === wanted;
  if (fits()) return undefined;
  const lock = await takeLock(root, say);
  try {
    if (fits()) return undefined;
    if (!matchesLock(root)) {
      const problem = await install({ root, run, say, lock });
      if (problem) return problem;
    }
    writeFileSync(stampFile, wanted);
    return undefined;
  } catch (error) {
    return explain(String(error), root);
  } finally {
    lock.release();
  }
}

/** The environment without what the npm that started us put into it; where to find packages stays. */
export function cleanEnvironment(environment) {
  const kept = /^npm_config_(.*registry|userconfig|globalconfig|cache|(https?_)?proxy|noproxy|ca|cafile|strict_ssl)$/i;
  const ours = ([name]) => !/^npm_(config|package|lifecycle|command)/i.test(name) || kept.test(name);
  return Object.fromEntries(Object.entries(environment).filter(ours));
}

async function install({ root, run, say, lock }) {
  const first = !existsSync(join(root, 'node_modules'));
  say(`${first ? 'First run' : 'The dependencies changed'}: installing with npm ci, this takes a moment ...`);
  const begun = Date.now();
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  // The npm that started us, under the same Node; a plain `npm` may be another one.
  const cli = process.env.npm_execpath;
  const own = cli && /npm-cli\.c?js$/.test(cli) && existsSync(cli);
  const [command, before] = own ? [process.execPath, [cli]] : ['npm', []];
  const result = await run(command, [...before, ...args], lock.alsoHeldBy);
  if (result.code !== 0) return `${firstLines(result.output)}\n${explain(result.output, root)}`;
  say(`Installed in ${((Date.now() - begun) / 1000).toFixed(1)} s.`);
  return undefined;
}

// npm prints its whole manual after some errors.
const firstLines = (output) => output.trim().split('\n').slice(0, 12).join('\n');

function explain(output, root) {
  if (/ENOSPC|EDQUOT|no space left/i.test(output)) {
    return `The disk is full. The installation needs about 500 MB in ${root}: free some space and try again.`;
  }
  if (/EACCES|EPERM|EROFS/.test(output)) {
    return `${root} cannot be written. Start as the user who owns it, or copy it to a folder of your own.`;
  }
  if (/ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET|E40[137]|E5\d\d|CERT/.test(output)) {
    return 'The package registry was not reached. Check the network, a proxy, and `npm config get registry`; then try again.';
  }
  if (/spawn npm ENOENT|npm: (command )?not found/.test(output))
    return 'npm was not found. Install Node.js together with npm and try again.';
  if (/EUSAGE|in sync/.test(output)) return 'package.json and package-lock.json differ. Run `npm install` once.';
  return 'npm ci failed; its own words are above. Try `npm ci` by hand.';
}

function fingerprint(root) {
  const { workspaces = [] } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const files = ['package-lock.json', 'package.json', '.npmrc', ...workspaces.map((name) => `${name}/package.json`)];
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}`);
  for (const file of files.sort()) hash.update(`\0${file}\0${read(join(root, file))}`);
  return hash.digest('hex');
}

/** True when somebody's own `npm ci` or `npm install` already brought all that the lock file names. */
function matchesLock(root) {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const present = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional, link }]) => {
    if (!path.includes('node_modules/')) return true;
    if (link) return existsSync(join(root, path));
    const found = present[path];
    if (!found) return optional === true && !fitsMachine(wanted[path]);
    return found.version === version && found.integrity === integrity && existsSync(join(root, path));
  });
}

// Which C library a machine has is npm's to judge: such a package may be missing.
function fitsMachine({ os, cpu, libc }) {
  return !libc && (!os || os.includes(process.platform)) && (!cpu || cpu.includes(process.arch));
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** One install at a time for each folder. npm empties node_modules, so the lock lies outside of it. */
async function takeLock(root, say) {
  const file = join(tmpdir(), `damask-install-${createHash('sha256').update(root).digest('hex').slice(0, 16)}.lock`);
  const token = `${randomUUID()} ${process.pid}`;
  const isOurs = () => read(file).startsWith(token);
  for (let told = false; ; ) {
    if (create(file, token)) {
      // Two that wait may both have removed a stale lock: only the one whose token is still there has it.
      await sleep(100);
      if (isOurs()) break;
      continue;
    }
    const seen = read(file);
    const [, ...holders] = seen.split(' ').map(Number);
    if (isStale(file, holders)) removeStale(file, seen);
    else if (!told) say(`Another installation is under way (process ${holders[0]}); waiting for it ...`);
    told = true;
    await sleep(200);
  }
  const alive = setInterval(() => isOurs() && utimesSync(file, new Date(), new Date()), 5_000);
  return {
    // npm goes on when we are killed; until it ends, nobody else may begin.
    alsoHeldBy: (pid) => writeFileSync(file, `${token} ${pid}`),
    release() {
      clearInterval(alive);
      if (isOurs()) rmSync(file, { force: true });
    },
  };
}

function create(file, token) {
  try {
    writeFileSync(file, token, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Moved away first: between the look and the removal, another process may have put its own lock there. */
function removeStale(file, seen) {
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
    if (read(aside) !== seen) linkSync(aside, file);
  } catch {
    // Somebody else was faster; the next round looks again.
  }
  rmSync(aside, { force: true });
}

// The age tells when the pids went to other programs: who holds the lock touches it.
function isStale(file, holders) {
  try {
    return Date.now() - statSync(file).mtimeMs > staleAfterMs || !holders.some(isRunning);
  } catch {
    return false;
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
