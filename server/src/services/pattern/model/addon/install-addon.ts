import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runToEnd } from '#platform/child-process.ts';
import type { Clock } from '#platform/clock.ts';
import { makeFolder } from '#platform/make-folder.ts';
import { withFolderLock } from '../local/folder-lock.ts';
import { reasonOf } from '../local/model-source.ts';
import { findNpm } from '../local/runtime.ts';
import { type Environment, toolEnvironment } from '../local/tool-environment.ts';
import { noAddon } from './no-addon.ts';

export interface InstallOptions {
  readonly cacheDir: string;
  readonly environment: Environment;
  readonly nodePath: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The folder of the add-on: its program, its package.json and its lock. */
export const addonProgram = fileURLToPath(new URL('../../../../../ai-sdk/', import.meta.url));

const installMs = 10 * 60 * 1000;

/** Where the packages of this version lie, installed or not. */
export function addonFolder(cacheDir: string): string {
  const hash = createHash('sha256')
    .update(readFileSync(join(addonProgram, 'package-lock.json')))
    .digest('hex');
  return join(cacheDir, 'ai-sdk', `packages-${hash.slice(0, 16)}`);
}

/** Installs the vendors' packages beside the platform, once; no install script runs. Rejects with `no_model`. */
export async function installAddon(options: InstallOptions): Promise<string> {
  const { cacheDir, clock, signal } = options;
  const folder = addonFolder(cacheDir);
  if (existsSync(folder)) return folder;
  const root = join(cacheDir, 'ai-sdk');
  await makeFolder(root);
  return withFolderLock(`${folder}.lock`, { clock, signal }, async () => {
    if (existsSync(folder)) return folder;
    const workspace = await mkdtemp(join(root, 'fetch-'));
    try {
      await install(options, workspace);
      await rename(workspace, folder);
    } finally {
      await rm(workspace, { recursive: true, force: true });
    }
    return folder;
  });
}

async function install(options: InstallOptions, workspace: string): Promise<void> {
  for (const file of ['package.json', 'package-lock.json']) {
    await copyFile(join(addonProgram, file), join(workspace, file));
  }
  const [command, ...args] = findNpm(options);
  // --prefix: npm otherwise walks up, and into whatever package it was itself started from.
  args.push('ci', '--prefix', workspace, '--ignore-scripts', '--no-audit', '--no-fund');
  args.push('--loglevel=error', '--prefer-offline', '--fetch-retries=1', '--fetch-retry-mintimeout=1000');
  const result = await runToEnd(command, args, {
    timeoutMs: installMs,
    maxOutputBytes: 16_384,
    env: toolEnvironment(options.environment),
    cwd: workspace,
    signal: options.signal,
  }).catch((error: unknown) => {
    if (options.signal.aborted) throw error;
    throw noAddon(reasonOf(error));
  });
  if (result.code === 0) return;
  const said = result.stderr.split('\n').filter((line) => /^npm (error|ERR!) \S/.test(line));
  throw noAddon(said.slice(0, 3).join(' ').slice(0, 300) || `npm ended with code ${result.code}.`);
}
