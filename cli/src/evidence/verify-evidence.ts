import { createHash, verify } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { readKeys, type VerifyKey } from '../audit/anchors.ts';
import { InputError } from '../input-error.ts';
import { archiveFolder, sealPath, sealText } from './seal-archive.ts';
import { readTar } from './tar-stream.ts';

export interface EvidenceProblem {
  readonly code:
    | 'altered'
    | 'missing'
    | 'added'
    | 'unsealed'
    | 'unknown_key'
    | 'bad_signature'
    | 'key_not_valid_at'
    | 'unreadable';
  readonly path: string | null;
  readonly detail: string;
}

/** What is known of an archive. All but `problems` is what the seal says, or null without one. */
export interface EvidenceVerdict {
  readonly seal: SealBody | null;
  readonly key: string | null;
  /** Whether the key came from outside of the archive. */
  readonly trusted: boolean;
  readonly files: number;
  readonly bytes: number;
  readonly left_out: readonly { readonly what: string; readonly code: string }[];
  readonly not_given: readonly { readonly what: string }[];
  readonly problems: readonly EvidenceProblem[];
}

export interface SealBody {
  readonly id: string;
  readonly workspace: { readonly id: string; readonly name: string };
  readonly actor: { readonly kind: string; readonly id: string; readonly account: string | null };
  readonly at: string;
  readonly since: string | null;
  readonly until: string | null;
  readonly audit: { readonly seq: number; readonly hash: string } | null;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
}

interface Found {
  readonly bytes: number;
  readonly sha256: string;
}

const domain = 'damask evidence seal 1\n';
const keysPath = 'audit/keys.json';
const manifestPath = 'manifest.json';
/** Of these the text is needed, not its digest alone. */
const kept: ReadonlySet<string> = new Set([sealPath, keysPath, manifestPath]);
const longestKept = 4 * 1024 * 1024;
const mostMembers = 1_000;
const mostProblems = 1_000;

/** Reads an archive to its end and holds it against its seal. Throws InputError when there is no such file. */
export async function verifyEvidence(
  path: string,
  trusted: readonly VerifyKey[] | undefined,
): Promise<EvidenceVerdict> {
  const problems: EvidenceProblem[] = [];
  const say = (code: EvidenceProblem['code'], place: string | null, detail: string) => {
    if (problems.length < mostProblems) problems.push({ code, path: place, detail });
  };
  const { found, texts } = await readArchive(path, say);
  const sealed = readSeal(texts.get(sealPath), say);
  if (sealed) {
    checkSignature(sealed, trusted ?? keysOf(texts.get(keysPath), say), say);
    checkFiles(sealed.body, found, say);
  }
  const manifest = parse(texts.get(manifestPath)) as Partial<EvidenceVerdict> | undefined;
  return {
    seal: sealed?.body ?? null,
    key: sealed?.key ?? null,
    trusted: trusted !== undefined,
    files: found.size,
    bytes: [...found.values()].reduce((sum, { bytes }) => sum + bytes, 0),
    left_out: Array.isArray(manifest?.left_out) ? manifest.left_out : [],
    not_given: Array.isArray(manifest?.not_given) ? manifest.not_given : [],
    problems,
  };
}

type Say = (code: EvidenceProblem['code'], path: string | null, detail: string) => void;

async function readArchive(path: string, say: Say) {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new InputError(`${path} is not there.`, 'notFound');
  const found = new Map<string, Found>();
  const texts = new Map<string, string>();
  const gunzip = createGunzip();
  const file = createReadStream(path);
  file.on('error', (error) => gunzip.destroy(error));
  let place = '';
  let digest = createHash('sha256');
  let bytes = 0;
  let text: Uint8Array[] = [];
  const close = () => {
    if (place === '') return;
    if (found.has(place)) say('added', place, `${place} is there twice`);
    else {
      found.set(place, { bytes, sha256: digest.digest('hex') });
      if (kept.has(place)) texts.set(place, Buffer.concat(text).toString('utf8'));
    }
    place = '';
  };
  let whole = false;
  try {
    for await (const piece of readTar(file.pipe(gunzip))) {
      if (piece.kind === 'data') {
        digest.update(piece.data);
        if (kept.has(place) && bytes < longestKept) text.push(piece.data);
        bytes += piece.data.length;
        continue;
      }
      close();
      whole = piece.kind === 'end';
      if (piece.kind === 'strange') say('unreadable', null, `${path}: ${piece.detail}`);
      if (piece.kind !== 'member') continue;
      const inside = piece.name.startsWith(archiveFolder);
      place = inside ? piece.name.slice(archiveFolder.length) : piece.name;
      if (!inside) say('added', place, `${place} stands outside of ${archiveFolder}`);
      [digest, bytes, text] = [createHash('sha256'), 0, []];
      if (found.size >= mostMembers) {
        say('unreadable', null, `${path} has more than ${mostMembers} files`);
        break;
      }
    }
    // What stands behind the compressed bytes is passed over by whoever unpacks them.
    if (whole && gunzip.bytesWritten < size) say('added', null, `something stands behind the archive in ${path}`);
  } catch (error) {
    const { syscall, message } = error as NodeJS.ErrnoException;
    if (syscall !== undefined) throw new InputError(`${path} cannot be read: ${message}.`);
    say('unreadable', null, `${path} is damaged: ${message}`);
  } finally {
    file.destroy();
    gunzip.destroy();
  }
  return { found, texts };
}

interface Sealed {
  readonly text: string;
  readonly body: SealBody;
  readonly key: string;
  readonly signature: string;
}

function readSeal(text: string | undefined, say: Say): Sealed | undefined {
  if (text === undefined) {
    say('unsealed', sealPath, 'there is no seal: nothing says what belongs to the archive');
    return undefined;
  }
  const seal = parse(text) as { body: string; key: string; signature: string } | undefined;
  const body = parse(seal?.body) as (SealBody & { readonly kind: string }) | undefined;
  if (!seal || body?.kind !== 'evidence' || !Array.isArray(body.files) || text !== sealText(seal)) {
    say('altered', sealPath, 'the seal is not as it was written');
    return undefined;
  }
  return { text: seal.body, body, key: seal.key, signature: seal.signature };
}

function keysOf(text: string | undefined, say: Say): VerifyKey[] {
  try {
    return readKeys(text ?? '[]');
  } catch {
    say('altered', keysPath, 'the keys are not as they were written');
    return [];
  }
}

function checkSignature({ text, body, key: id, signature }: Sealed, keys: readonly VerifyKey[], say: Say): void {
  const key = keys.find((one) => one.id === id);
  const { at } = body;
  if (!key) say('unknown_key', sealPath, `the seal is signed by ${id}, which is none of the keys`);
  else if (!verify(null, Buffer.from(domain + text), key.key, Buffer.from(String(signature), 'base64'))) {
    say('bad_signature', sealPath, `the seal is not signed by ${id} as it says`);
  } else if ((key.from !== null && at < key.from) || (key.until !== null && at > key.until)) {
    say(
      'key_not_valid_at',
      sealPath,
      `the seal of ${at} is signed by ${id}, valid ${key.from} to ${key.until ?? 'now'}`,
    );
  }
}

function checkFiles({ files }: SealBody, found: ReadonlyMap<string, Found>, say: Say): void {
  const listed = new Map(files.map((file) => [file.path, file]));
  for (const { path, bytes, sha256 } of files) {
    const there = found.get(path);
    if (!there) say('missing', path, `${path} is not there`);
    else if (there.bytes !== bytes || there.sha256 !== sha256) say('altered', path, `${path} is not what was sealed`);
  }
  for (const path of found.keys()) {
    if (path !== sealPath && !listed.has(path)) say('added', path, `${path} was not sealed`);
  }
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
