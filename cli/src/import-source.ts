import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Damask, ImportReport } from '@damask/sdk';
import { InputError } from './input-error.ts';
import { type FabricHome, isFabricHome, readFabricHome } from './read-fabric-home.ts';
import { readOrigin } from './read-git-origin.ts';
import { readTree } from './read-tree.ts';
import { UsageError } from './usage-error.ts';

interface Decision {
  readonly on_conflict: 'fail' | 'keep' | 'replace';
  readonly dry_run: boolean;
}

/** What is imported, read as far as this machine reads it. */
export interface ImportSource extends Pick<FabricHome, 'contexts' | 'sessions' | 'ignored' | 'notes'> {
  /** It may take longer than a person waits without a word. */
  readonly slow: boolean;
  send(damask: Damask, decision: Decision): Promise<ImportReport>;
}

interface Where {
  readonly ref: string | undefined;
  readonly path: string | undefined;
}

const archiveLimit = 64 * 1024 * 1024;
const nothingBeside = { contexts: [], sessions: [], ignored: [], notes: [] };

/** Opens what was named: an address, an archive or a folder. Throws UsageError and InputError. */
export function openImport(from: string, where: Where): ImportSource {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(from) || /^[^/@\s]+@[^/:\s]+:/.test(from)) return openRepository(from, where);
  if (where.ref !== undefined) throw new UsageError('--ref is for the address of a repository.');
  const stats = statSync(from, { throwIfNoEntry: false });
  if (!stats) throw new InputError(`There is no folder or archive ${from}. Check the path.`, 'notFound');
  return stats.isDirectory() ? openFolder(from, where) : openArchive(from, stats.size, where);
}

// What a browser shows of a folder of a repository, on GitHub, GitLab and Gitea.
const folderPage = /^(https:\/\/[^/]+\/[^/]+\/[^/]+?)(?:\/-)?\/(?:tree|src\/branch)\/([^/?#]+)(?:\/([^?#]+?))?\/*$/i;

function openRepository(address: string, where: Where): ImportSource {
  const [, repository, branch, folder] = folderPage.exec(address) ?? [];
  const from = repository ?? address;
  const ref = where.ref ?? branch;
  const path = where.path ?? folder;
  if (!/^https:\/\//i.test(from)) {
    throw new UsageError(`Repositories are read over https only: write https://host/name, or import a clone of yours.`);
  }
  const hash = from.indexOf('#');
  const url = hash < 0 ? from : from.slice(0, hash);
  const named = hash < 0 ? undefined : from.slice(hash + 1);
  if (named !== undefined && ref !== undefined) throw new UsageError('Name the commit once: with #name or with --ref.');
  const wanted = ref ?? (named || undefined);
  return {
    ...nothingBeside,
    slow: true,
    send: (damask, decision) =>
      damask.imports.git({
        url,
        ...(wanted !== undefined && { ref: wanted }),
        ...(path !== undefined && { path }),
        ...decision,
      }),
  };
}

function openArchive(from: string, size: number, { path }: Where): ImportSource {
  if (!/\.(?:zip|tar|tgz|tar\.gz)$/i.test(from)) {
    throw new InputError(`${from} is neither a folder nor a .zip, .tar, .tgz or .tar.gz.`);
  }
  if (size > archiveLimit) throw new InputError(`${from} has more than 64 MiB. Import the folder, or a part of it.`);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(readFileSync(from));
  } catch (error) {
    throw new InputError(
      `${from} cannot be read (${(error as NodeJS.ErrnoException).code}). Name a file that you can read.`,
    );
  }
  const input = { origin: resolve(from).slice(-500), ...(path !== undefined && { path }) };
  return {
    ...nothingBeside,
    slow: size > 1024 * 1024,
    send: (damask, decision) => damask.imports.archive(bytes, { ...input, ...decision }),
  };
}

function openFolder(from: string, { path }: Where): ImportSource {
  if (path !== undefined) throw new UsageError('--path is for repositories and archives; name the folder itself.');
  const home = isFabricHome(from) ? readFabricHome(from) : undefined;
  const { files, ...rest } = home ?? { ...nothingBeside, ...readTree(from) };
  if (files.length === 0) {
    throw new InputError(
      `${from} holds no patterns. Name a clone of Fabric, or a folder of folders that each hold a system.md.`,
    );
  }
  return {
    ...rest,
    slow: files.length > 1000,
    send: (damask, decision) => damask.imports.create({ files, origin: readOrigin(from), ...decision }),
  };
}
