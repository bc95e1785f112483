import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a lock file says of one place under `node_modules`. */
export interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface PackageLock {
  /** What installs it: the house itself, or a program beside the server that is installed when it is needed. */
  readonly part: string;
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, LockEntry>>;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const folders = { damask: '.', 'damask-local-model': 'server/local-model', 'damask-ai-sdk': 'server/ai-sdk' };

/** Every lock file of the house. */
export function readPackageLocks(): PackageLock[] {
  return Object.entries(folders).map(([part, folder]) => {
    const text = readFileSync(join(root, folder, 'package-lock.json'), 'utf8');
    return { ...(JSON.parse(text) as Omit<PackageLock, 'part'>), part };
  });
}

export interface LockedPackage extends LockEntry {
  readonly part: string;
  /** Its place from the root of its part. */
  readonly path: string;
  readonly name: string;
}

/** Packages of others, by part and place. */
export function lockedPackages(locks: readonly PackageLock[]): LockedPackage[] {
  return locks.flatMap(({ part, packages }) =>
    Object.entries(packages)
      .filter(([path, { link }]) => path.includes('node_modules/') && !link)
      .map(([path, entry]) => ({ ...entry, part, path, name: entry.name ?? path.replace(/^.*node_modules\//, '') }))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
  );
}

/** Where Node looks for what a package at a place imports: its own folder, then those above. */
export function placesOf(path: string): string[] {
  const parts = path === '' ? [] : path.split('/');
  return [...parts.map((_, index) => `${parts.slice(0, parts.length - index).join('/')}/`), ''];
}
