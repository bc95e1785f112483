import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runToEnd } from '#platform/child-process.ts';
import type { Clock } from '#platform/clock.ts';
import { makeFolder } from '#platform/make-folder.ts';
import { withFolderLock } from './folder-lock.ts';
import { noModel, reasonOf } from './model-source.ts';
import { type Environment, toolEnvironment } from './tool-environment.ts';

export interface Platform {
  readonly os: string;
  readonly cpu: string;
}

export interface RuntimeOptions {
  readonly cacheDir: string;
  /** For npm: PATH, proxies, certificates, the user's own npm settings. */
  readonly environment: Environment;
  /** Runs npm when it is known as a script only (`npm_execpath`). */
  readonly nodePath: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

interface LockEntry {
  readonly version?: string;
  optional?: boolean;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

interface Lock {
  readonly packages: Record<string, LockEntry>;
}

/** The folder of the model process: its program, its package.json and its lock. */
export const programFolder = fileURLToPath(new URL('../../../../../local-model/', import.meta.url));

const installMs = 10 * 60 * 1000;
const binaries: Readonly<Record<string, string>> = {
  'linux-x64': '@node-llama-cpp/linux-x64',
  'linux-arm64': '@node-llama-cpp/linux-arm64',
  'darwin-arm64': '@node-llama-cpp/mac-arm64-metal',
  'darwin-x64': '@node-llama-cpp/mac-x64',
};

/** Where the runtime of this version lies, installed or not. */
export function runtimeFolder(cacheDir: string, platform: Platform): string {
  const hash = createHash('sha256')
    .update(readProgramFile('package-lock.json'))
    .update(`${platform.os}-${platform.cpu}`);
  return join(cacheDir, 'local-model', `runtime-${hash.digest('hex').slice(0, 16)}`);
}

export function isRuntimeInstalled(cacheDir: string, platform: Platform): boolean {
  return existsSync(runtimeFolder(cacheDir, platform));
}

/**
 * Installs node-llama-cpp beside the platform, once, and answers its folder. No install script runs and nothing is built. Only a
 * complete installation ever bears the folder's name. Rejects with `no_model` when npm cannot bring it.
 */
export async function installRuntime(options: RuntimeOptions, platform: Platform): Promise<string> {
  const { cacheDir, clock, signal } = options;
  const folder = runtimeFolder(cacheDir, platform);
  if (existsSync(folder)) return folder;
  const root = join(cacheDir, 'local-model');
  await makeFolder(root);
  return withFolderLock(`${folder}.lock`, { clock, ...(signal ? { signal } : {}) }, async () => {
    if (existsSync(folder)) return folder;
    const workspace = await mkdtemp(join(root, 'fetch-'));
    try {
      await install(options, platform, workspace);
      await rename(workspace, folder);
    } catch (error) {
      if (!existsSync(folder)) throw error;
    } finally {
      await rm(workspace, { recursive: true, force: true });
    }
    return folder;
  });
}

/**
 * package.json and lock for one platform. npm would bring 725 MB of GPU back ends as optional dependencies; so the platform's
 * binary becomes a direct dependency, with the hash of the lock, and everything optional goes.
 */
export function narrowToPlatform(manifestText: string, lockText: string, platform: Platform): [string, string] {
  const manifest = JSON.parse(manifestText) as { dependencies: Record<string, string> };
  const lock = JSON.parse(lockText) as Lock;
  const name = binaries[`${platform.os}-${platform.cpu}`];
  const binary = name === undefined ? undefined : lock.packages[`node_modules/${name}`];
  if (name === undefined || binary?.version === undefined) {
    throw noModel(`There is no local model for ${platform.os} on ${platform.cpu}.`);
  }
  const dependencies = { ...manifest.dependencies, [name]: binary.version };
  delete binary.optional;
  const packages: Lock['packages'] = {};
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (entry.optional) continue;
    const { optionalDependencies: _, ...kept } = entry;
    packages[path] = path === '' ? { ...kept, dependencies } : kept;
  }
  return [JSON.stringify({ ...manifest, dependencies }), JSON.stringify({ ...lock, packages })];
}

async function install(options: RuntimeOptions, platform: Platform, workspace: string): Promise<void> {
  const program = narrowToPlatform(readProgramFile('package.json'), readProgramFile('package-lock.json'), platform);
  await writeFile(join(workspace, 'package.json'), program[0]);
  await writeFile(join(workspace, 'package-lock.json'), program[1]);
  const [command, ...args] = findNpm(options);
  // --prefix: npm otherwise walks up, and into whatever package it was itself started from.
  args.push('ci', '--prefix', workspace, '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund');
  args.push('--loglevel=error', '--prefer-offline', '--fetch-retries=1', '--fetch-retry-mintimeout=1000');
  const result = await runToEnd(command, args, {
    timeoutMs: installMs,
    maxOutputBytes: 16_384,
    env: toolEnvironment(options.environment),
    cwd: workspace,
    ...(options.signal ? { signal: options.signal } : {}),
  }).catch((error: unknown) => {
    if (options.signal?.aborted) throw error;
    throw noModel(`What runs the local model could not be installed: ${reasonOf(error)}`, error);
  });
  const entry = join(workspace, 'node_modules', 'node-llama-cpp', 'package.json');
  if (result.code === 0 && existsSync(entry)) return;
  const said = result.stderr.split('\n').filter((line) => /^npm (error|ERR!) \S/.test(line));
  const reason = said.slice(0, 3).join(' ').slice(0, 300) || `exit code ${result.code}`;
  throw noModel(`npm could not install what runs the local model: ${reason}.`);
}

/** How npm is called here: as a script where it started us, else by its name. */
export function findNpm({
  environment,
  nodePath,
}: Pick<RuntimeOptions, 'environment' | 'nodePath'>): [string, ...string[]] {
  const script = environment.npm_execpath;
  return script && /npm-cli\.c?js$/.test(script) && existsSync(script) ? [nodePath, script] : ['npm'];
}

function readProgramFile(name: string): string {
  return readFileSync(join(programFolder, name), 'utf8');
}
