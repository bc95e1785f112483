#!/usr/bin/env node
// Plain JavaScript for any Node from 18 on: it finds a Node 24 and runs the program there.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode24, isNewEnough } from './node24.mjs';

const here = fileURLToPath(import.meta.url);
const packageRoot = dirname(dirname(here));
const houseRoot = dirname(packageRoot);
const fromSource = existsSync(join(packageRoot, 'src', 'main.ts'));

if (isNewEnough()) {
  const cache = join(houseRoot, 'node_modules', '.compile-cache');
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE ?? (fromSource ? cache : undefined));
  await import(fromSource ? '../src/main.ts' : '../dist/main.js');
} else {
  const node = fromSource ? findNode24(houseRoot) : undefined;
  if (node) runUnder(node);
  else {
    const way = fromSource
      ? `Run \`npm start\` or \`npm install\` once in ${houseRoot}: it brings its own Node 24.`
      : 'Install Node 24.12 or newer and try again.';
    process.stderr.write(`damask needs Node 24.12 or newer; this is ${process.version}. ${way}\n`);
    process.exitCode = 1;
  }
}

function runUnder(node) {
  const child = spawn(node, [here, ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl-C reaches the child by itself when there is a terminal; a second SIGINT could mean "at once" to it.
  const terminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !terminal) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`damask could not start ${node}: ${error.message}. Run \`npm install\` in ${houseRoot}.\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // A signal that Node itself ignores or handles late must not turn into success.
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 100);
  });
}
