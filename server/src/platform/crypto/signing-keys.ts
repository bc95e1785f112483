import { createPrivateKey, generateKeyPairSync, hash, type KeyObject, randomBytes, sign } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../app-error.ts';
import { makeFolder } from '../make-folder.ts';

/** The public half of a key that signs or signed. */
export interface PublicKey {
  readonly id: string;
  /** Ed25519, SPKI DER in base64. */
  readonly public_key: string;
  readonly from: string;
  /** Null: it signs now. */
  readonly until: string | null;
}

export interface SigningKeys {
  readonly current: { readonly id: string; sign(text: string): string };
  /** All that ever signed, the oldest first. */
  readonly list: readonly PublicKey[];
}

interface StoredKey extends PublicKey {
  /** PKCS #8 DER in base64; of the current key only. */
  readonly private_key?: string;
}

const about =
  'Damask audit signing key (Ed25519). It signs checkpoints of the audit log. Keep the private key away from the database and its backups.';
const longestFile = 1_000_000;

/**
 * Reads the file of the signing key, or makes it. It belongs to its owner alone and lies where the database cannot read
 * it. Errors: `unavailable` when others can read it or it is not such a file.
 */
export async function loadSigningKeys(path: string, now: number): Promise<SigningKeys> {
  const text = (await readPrivate(path)) ?? (await create(path, now));
  return toKeys(parse(text, path), path);
}

/** A new key signs from now on; of the old one only the public half stays. Errors: as above. */
export async function rotateSigningKey(path: string, now: number): Promise<PublicKey> {
  const text = (await readPrivate(path)) ?? (await create(path, now));
  const ended = parse(text, path).map(({ private_key: _, ...key }) => ({
    ...key,
    until: key.until ?? new Date(now).toISOString(),
  }));
  const made = makeKey(now);
  const draft = await writeDraft(path, [...ended, made]);
  await rename(draft, path);
  await syncFolder(path);
  const { private_key: _, ...shown } = made;
  return shown;
}

function toKeys(stored: readonly StoredKey[], path: string): SigningKeys {
  const current = stored.find(({ private_key, until }) => private_key !== undefined && until === null);
  if (current?.private_key === undefined) throw notKeys(path);
  const key = readPrivateKey(current.private_key, path);
  return {
    current: { id: current.id, sign: (body) => sign(null, Buffer.from(body), key).toString('base64') },
    list: stored.map(({ id, public_key, from, until }) => ({ id, public_key, from, until })),
  };
}

function readPrivateKey(text: string, path: string): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' });
  } catch (error) {
    throw notKeys(path, error);
  }
}

function makeKey(now: number): StoredKey & { readonly private_key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return {
    id: hash('sha256', spki).slice(0, 16),
    public_key: spki.toString('base64'),
    private_key: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
    from: new Date(now).toISOString(),
    until: null,
  };
}

async function create(path: string, now: number): Promise<string> {
  await makeFolder(dirname(path));
  const draft = await writeDraft(path, [makeKey(now)]);
  try {
    // A link fails when the name is there: of two processes that start together the first one's key stands.
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(path);
  const text = await readPrivate(path);
  if (text === undefined) throw notKeys(path);
  return text;
}

async function writeDraft(path: string, keys: readonly StoredKey[]): Promise<string> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify({ about, keys }, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return draft;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}

async function readPrivate(path: string): Promise<string | undefined> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AppError('unavailable', `The audit key ${path} cannot be read: ${(error as Error).message}.`);
  }
  try {
    const state = await handle.stat();
    if (!state.isFile() || state.size > longestFile) throw notKeys(path);
    if ((state.mode & 0o077) !== 0) {
      throw new AppError('unavailable', `The audit key ${path} can be read by other users. Run: chmod 600 '${path}'`);
    }
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

function parse(text: string, path: string): StoredKey[] {
  try {
    const { keys } = JSON.parse(text) as { keys: StoredKey[] };
    if (!keys.every(({ id, public_key, from }) => [id, public_key, from].every((one) => typeof one === 'string'))) {
      throw notKeys(path);
    }
    return keys;
  } catch (error) {
    throw notKeys(path, error);
  }
}

function notKeys(path: string, cause?: unknown): AppError {
  return new AppError(
    'unavailable',
    `${path} holds no key that signs audit checkpoints. Put the right file back, or move it away: a new key is made then.`,
    {},
    { cause },
  );
}
