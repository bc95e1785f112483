import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { identityOperations } from '@damask/contracts/identity.ts';
import { hashApiKey, keyPrefix, looksLikeApiKey, newApiKey } from '#platform/api-key.ts';
import { AppError } from '#platform/app-error.ts';
import type { Client } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { systemContext } from '#platform/system-context.ts';
import { type Credential, changeCredentials, credentialsName, type Instances } from './credentials-file.ts';

export interface FirstStartOptions {
  readonly identity: Pick<Client<typeof identityOperations>, 'readInstance' | 'openInstance' | 'reissueOwnerKey'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Where `credentials.json` is kept. */
  readonly configDir: string;
  /** Under which address the command line reaches this server. */
  readonly url: string;
  /** Null where the database is elsewhere. */
  readonly dataDir: string | null;
}

export interface FirstStart {
  readonly instance: string;
  readonly workspace: string;
  /** To be shown once: present when this start made the workspace. */
  readonly ownerKey: string | null;
  /** Where the key for the command line is, or null when it is not known there. */
  readonly credentials: string | null;
}

/**
 * Makes the first workspace when there is none, and tells the command line where the server is. The owner key is on disk
 * before the workspace exists: killed in between, the next start goes on with the same key.
 * Errors: `unavailable` when the credentials cannot be kept.
 */
export async function firstStart(options: FirstStartOptions): Promise<FirstStart> {
  const { identity, clock, log, configDir } = options;
  const file = join(configDir, credentialsName);
  const { id: instance, workspace } = await identity.readInstance(systemContext(clock), {});
  if (workspace !== null)
    return { instance, workspace, ownerKey: null, credentials: await pointHere(options, instance) };

  const kept = await changeCredentials(configDir, clock, (instances) => {
    const pending = instances[instance]?.api_key ?? '';
    return withEntry(instances, instance, options, looksLikeApiKey(pending) ? pending : newApiKey(randomBytes));
  });
  const ownerKey = (kept[instance] as Credential).api_key;
  const opened = await identity.openInstance(systemContext(clock), { name: 'default', ...stored(ownerKey) });
  if (opened.accepted) return { instance, workspace: opened.workspace, ownerKey, credentials: file };

  log.warn('Another server made the first workspace a moment before; its owner key is with that server');
  await changeCredentials(configDir, clock, (instances) => {
    const { [instance]: own, ...others } = instances;
    return own?.api_key === ownerKey ? others : instances;
  });
  return { instance, workspace: opened.workspace, ownerKey: null, credentials: null };
}

/**
 * For the operator with access to the server's files whose owner key is lost: adds another one and keeps it for the
 * command line. Errors: `not_found` before the first start, `unavailable` when the credentials cannot be kept.
 */
export async function reissueOwnerKey(options: FirstStartOptions): Promise<FirstStart & { ownerKey: string }> {
  const { identity, clock, configDir } = options;
  const { id: instance, workspace } = await identity.readInstance(systemContext(clock), {});
  if (workspace === null) {
    throw new AppError('not_found', 'There is no workspace yet. Start the server once; it makes the first owner key.');
  }
  const ownerKey = newApiKey(randomBytes);
  let before: Credential | undefined;
  // Written first: a folder that refuses must not leave a key in the database that nobody has seen.
  await changeCredentials(configDir, clock, (instances) => {
    before = instances[instance];
    return withEntry(instances, instance, options, ownerKey);
  });
  try {
    await identity.reissueOwnerKey(systemContext(clock), { workspace, ...stored(ownerKey) });
  } catch (error) {
    await changeCredentials(configDir, clock, ({ [instance]: _, ...others }) =>
      before ? { ...others, [instance]: before } : others,
    );
    throw error;
  }
  return { instance, workspace, ownerKey, credentials: join(configDir, credentialsName) };
}

/** Later starts: the address may have changed. A server must not stay down because a note for the command line failed. */
async function pointHere(options: FirstStartOptions, instance: string): Promise<string | null> {
  const { configDir, clock, log } = options;
  try {
    const kept = await changeCredentials(configDir, clock, (instances) =>
      withEntry(instances, instance, options, instances[instance]?.api_key),
    );
    return kept[instance] ? join(configDir, credentialsName) : null;
  } catch (error) {
    log.warn('The command line could not be told where the server is', { error });
    return null;
  }
}

/** The address belongs to one installation only; others keep their keys. */
function withEntry(
  instances: Instances,
  instance: string,
  { url, dataDir }: FirstStartOptions,
  key: string | undefined,
): Instances {
  const others = Object.entries(instances).map(([id, entry]) => [
    id,
    entry.url === url && id !== instance ? { ...entry, url: null } : entry,
  ]);
  const known: Instances = Object.fromEntries(others);
  return key === undefined
    ? known
    : { ...known, [instance]: { ...known[instance], url, api_key: key, data_dir: dataDir } };
}

function stored(key: string) {
  return { key_hash: hashApiKey(key), key_prefix: keyPrefix(key) };
}
