import git, { type HttpClient } from 'isomorphic-git';
import { AppError } from '#platform/app-error.ts';
import { quoteText } from '../library/quote-text.ts';
import { type ArchiveEntry, entriesAllowed } from './archive-entry.ts';
import { checkPack, type PackLimits } from './check-pack.ts';
import { createMemoryFiles } from './memory-files.ts';

export interface GitSource {
  readonly url: string;
  /** A branch, a tag or a whole commit hash; the server's default branch without. */
  readonly ref?: string;
  /** A folder of the repository; everything without. */
  readonly path?: string;
}

export interface Fetched {
  readonly commit: string;
  readonly entries: readonly ArchiveEntry[];
  /** git's hash of a file by its path. */
  readonly hashes: ReadonlyMap<string, string>;
}

const limits: PackLimits = {
  objects: 200_000,
  objectBytes: 64 * 1024 * 1024,
  totalBytes: 512 * 1024 * 1024,
};
const gitdir = '/git';

/**
 * Fetches one commit without history, into memory. All calls go through `http`. Throws `invalid_repository`, and what `http` throws.
 */
export async function fetchCommit(source: GitSource, http: HttpClient): Promise<Fetched> {
  let refused: unknown;
  const fs = createMemoryFiles((path, content) => {
    if (refused !== undefined) throw refused;
    try {
      if (path.endsWith('.pack')) checkPack(content, limits);
    } catch (error) {
      refused = error;
      throw error;
    }
  });
  const cache = {};
  try {
    await git.init({ fs, gitdir, dir: '/', bare: true });
    const { url, ref } = source;
    await git.addRemote({ fs, gitdir, remote: 'origin', url });
    const { fetchHead } = await git.fetch({
      ...{ fs, http, cache, gitdir, url, depth: 1, singleBranch: true, tags: false },
      ref: ref ?? 'HEAD',
      remote: 'origin',
    });
    if (fetchHead === null) throw unusable('The repository has no commits yet');
    const { oid: commit, commit: read } = await git.readCommit({ fs, cache, gitdir, oid: fetchHead });
    return { commit, ...(await readTrees({ fs, cache, gitdir }, read.tree, source.path ?? '')) };
  } catch (error) {
    throw refused ?? toFailure(error, source);
  }
}

type Repository = { fs: ReturnType<typeof createMemoryFiles>; cache: object; gitdir: string };

async function readTrees(repository: Repository, root: string, within: string) {
  const entries: ArchiveEntry[] = [];
  const hashes = new Map<string, string>();
  const inside = within.split('/').filter(Boolean);
  const folders: { oid: string; path: string; depth: number }[] = [{ oid: root, path: '', depth: 0 }];
  let seen = 0;
  for (let folder = folders.pop(); folder; folder = folders.pop()) {
    const { tree } = await git.readTree({ ...repository, oid: folder.oid });
    for (const { mode, path: name, oid } of tree) {
      // A tree can hold itself a million times over under different names; only the way to `within` is free.
      const wanted = inside[folder.depth];
      if (wanted !== undefined && name !== wanted) continue;
      if (++seen > entriesAllowed)
        throw unusable(`It holds more than ${entriesAllowed} files; name a folder with path`);
      const path = folder.path === '' ? name : `${folder.path}/${name}`;
      const kind = kindOf(mode);
      if (kind === 'folder') folders.push({ oid, path, depth: folder.depth + 1 });
      entries.push({ path, kind, size: 0, read: () => readBlob(repository, oid) });
      if (kind === 'file') hashes.set(path, oid);
      if (path.length > 1024) throw unusable('It holds a path of more than 1024 characters');
    }
  }
  if (inside.length > 0 && !entries.some(({ path, kind }) => kind === 'folder' && path === inside.join('/'))) {
    throw unusable(`It has no folder ${quoteText(within, 200)} in this commit`);
  }
  return { entries, hashes };
}

function kindOf(mode: string): ArchiveEntry['kind'] {
  if (mode === '040000' || mode === '40000') return 'folder';
  if (mode === '100644' || mode === '100755' || mode === '100664') return 'file';
  return mode === '120000' ? 'link' : 'other';
}

async function readBlob(repository: Repository, oid: string): Promise<Buffer> {
  const { blob } = await git.readBlob({ ...repository, oid });
  return Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
}

function unusable(detail: string, cause?: unknown): AppError {
  return new AppError('invalid_repository', `Nothing was imported. ${detail}.`, {}, { cause });
}

/** What the library says, in words that tell the next step. */
function toFailure(error: unknown, { url, ref }: GitSource): AppError {
  if (error instanceof AppError) return error;
  const { code, data } = error as { code?: string; data?: { statusCode?: number } };
  const host = new URL(url).host;
  if (code === 'NotFoundError' && ref !== undefined) {
    return unusable(`${host} has no branch, tag or commit ${quoteText(ref, 100)} there. Check the name`, error);
  }
  if (code === 'HttpError') {
    const status = data?.statusCode ?? 0;
    const hint =
      status === 401 || status === 403 || status === 404
        ? 'Check the address; only public repositories can be imported. For a private one, import a clone of your own'
        : 'Try again later, or import a clone of your own';
    return unusable(`${host} answered ${status}. ${hint}`, error);
  }
  if (code === 'SmartHttpError' || code === 'ParseError' || code === 'EmptyServerResponseError') {
    return unusable(`${host} has no git repository at this address. Check it`, error);
  }
  if (code === 'RemoteCapabilityError') return unusable(`${host} cannot send one commit without its history`, error);
  return unusable(`What ${host} sent could not be read as a git repository`, error);
}
