import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../app-error.ts';
import { runToEnd } from '../child-process.ts';
import type { Binaries } from './binaries.ts';

/** Who PostgreSQL runs as: it refuses to be root. */
export interface Account {
  /** Owner of the data; undefined means ourselves. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Passed to the child; absent where a wrapper changes the user. */
  readonly ids: { readonly uid?: number; readonly gid?: number };
  /** A program with its arguments that changes the user and then becomes PostgreSQL, with the same pid. */
  readonly wrapper: readonly string[];
}

/** A fixed small environment: nothing of ours (PGDATA, locales, secrets) reaches PostgreSQL. */
export const childEnvironment = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', LANG: 'C' };

const ourselves: Account = { ids: {}, wrapper: [] };

/**
 * Chooses the account for a data directory. An ordinary user stays who they are. Root becomes the owner of existing data,
 * else `nobody`; where that user cannot reach the folders, root hides behind a user namespace or keeps one capability.
 */
export async function chooseAccount(dataDirectory: string, binaries: Binaries): Promise<Account> {
  if (process.getuid?.() !== 0) return ourselves;
  const present = await stat(dataDirectory).catch(() => undefined);
  // An empty folder made by root says nothing yet about who runs PostgreSQL.
  const clusterOwner = (await stat(`${dataDirectory}/PG_VERSION`).catch(() => undefined))?.uid;
  if (present && clusterOwner === 0) return behindNamespace();
  const owner = clusterOwner
    ? { uid: present?.uid ?? clusterOwner, gid: present?.gid ?? clusterOwner }
    : await nobody();
  const plain: Account = { owner, ids: owner, wrapper: [] };
  if ((await reachable(binaries.postgres, owner)) && (await reachable(dirname(dataDirectory), owner))) return plain;
  const rest = clusterOwner ? [withCapability(owner)] : [behindNamespace(), withCapability(owner)];
  for (const account of rest) if (await works(account, binaries)) return account;
  throw new AppError(
    'unavailable',
    `PostgreSQL does not run as root, and user ${owner.uid} cannot reach ${dataDirectory} or ${binaries.postgres}. ` +
      'Start Damask as an ordinary user, or set DAMASK_DATA_DIR to a folder that every user can reach, such as /var/lib/damask.',
  );
}

function behindNamespace(): Account {
  return { ids: {}, wrapper: ['unshare', '--user', '--map-user=65534', '--map-group=65534', '--'] };
}

function withCapability({ uid, gid }: { uid: number; gid: number }): Account {
  const user = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  const capability = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  return { owner: { uid, gid }, ids: {}, wrapper: ['setpriv', ...user, ...capability, '--'] };
}

async function works(account: Account, binaries: Binaries): Promise<boolean> {
  const [command, ...args] = [...account.wrapper, binaries.postgres, '--version'];
  const run = runToEnd(command as string, args, { timeoutMs: 10_000, env: childEnvironment, ...account.ids });
  return run.then(
    (result) => result.code === 0,
    () => false,
  );
}

async function nobody(): Promise<{ uid: number; gid: number }> {
  const lines = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const [, , uid, gid] =
    lines
      .split('\n')
      .find((line) => line.startsWith('nobody:'))
      ?.split(':') ?? [];
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : { uid: 65534, gid: 65534 };
}

// By the mode bits alone: the question must be answered before anything runs as that user.
async function reachable(path: string, owner: { uid: number; gid: number }): Promise<boolean> {
  for (let place = path; ; place = dirname(place)) {
    const found = await stat(place).catch(() => undefined);
    if (found) {
      const bit = found.uid === owner.uid ? 0o100 : found.gid === owner.gid ? 0o010 : 0o001;
      if ((found.mode & bit) === 0) return false;
    }
    if (place === dirname(place)) return true;
  }
}
