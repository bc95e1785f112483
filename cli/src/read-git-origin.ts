import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Where a folder came from: `<address>@<commit>` of a git clone, else its path. Starts no program. */
export function readOrigin(folder: string): string {
  return (readGitOrigin(folder) ?? resolve(folder)).slice(0, 500);
}

function readGitOrigin(folder: string): string | undefined {
  try {
    const git = join(folder, '.git');
    const config = readFileSync(join(git, 'config'), 'utf8');
    const address = /^\[remote "origin"\][^[]*?^\s*url\s*=\s*(\S+)/ms.exec(config)?.[1];
    if (address === undefined) return undefined;
    const commit = commitOf(git);
    return `${withoutPassword(address)}${commit ? `@${commit}` : ''}`;
  } catch {
    return undefined;
  }
}

function commitOf(git: string): string | undefined {
  const head = readFileSync(join(git, 'HEAD'), 'utf8').trim();
  const name = /^ref: (refs\/[\w./-]+)$/.exec(head)?.[1];
  if (name === undefined) return /^[0-9a-f]{40,64}$/.test(head) ? head : undefined;
  try {
    return readFileSync(join(git, name), 'utf8').trim();
  } catch {
    const packed = readFileSync(join(git, 'packed-refs'), 'utf8');
    return packed
      .split('\n')
      .find((line) => line.endsWith(` ${name}`))
      ?.split(' ')[0];
  }
}

function withoutPassword(address: string): string {
  return address.replace(/^(\w+:\/\/)[^/@]*@/, '$1');
}
