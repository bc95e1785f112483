import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';

/** A signed line from outside of the database. */
export interface SignedLine {
  readonly body: string;
  readonly key: string;
  readonly signature: string;
}

export interface VerifyKey {
  readonly id: string;
  readonly key: KeyObject;
  readonly from: string | null;
  readonly until: string | null;
}

/** What a signed line says of a chain: its hash at a place, or of a heartbeat only how far it had come. */
export interface Anchor {
  readonly kind: 'checkpoint' | 'heartbeat';
  readonly workspace: string;
  readonly seq: number;
  readonly hash: string | null;
  readonly at: string;
  readonly previous: string | null;
  readonly digest: string;
  readonly key: string;
}

export interface AnchorProblem {
  readonly code: 'bad_signature' | 'key_not_valid_at' | 'unreadable';
  readonly workspace: string | null;
  readonly seq: number | null;
  readonly detail: string;
}

/** Keys as `keys.json` lists them, or PEM: then they are taken to be valid at all times. Throws when it is neither. */
export function readKeys(text: string): VerifyKey[] {
  if (text.includes('-----BEGIN PUBLIC KEY-----')) {
    const pems = text.match(/-----BEGIN PUBLIC KEY-----[\s\S]+?-----END PUBLIC KEY-----/g) ?? [];
    return pems.map((pem) => toKey(createPublicKey(pem), null, null));
  }
  const list = JSON.parse(text) as { public_key: string; from: string; until: string | null }[];
  return list.map(({ public_key, from, until }) =>
    toKey(createPublicKey({ key: Buffer.from(public_key, 'base64'), format: 'der', type: 'spki' }), from, until),
  );
}

function toKey(key: KeyObject, from: string | null, until: string | null): VerifyKey {
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('It is no Ed25519 key');
  // Its name comes from the key itself: a file cannot give one key the name of another.
  return { id: sha256(key.export({ type: 'spki', format: 'der' })).slice(0, 16), key, from, until };
}

/** Takes what was signed by a known key at a time when it was valid; tells of everything else. */
export function readAnchors(
  lines: readonly SignedLine[],
  keys: readonly VerifyKey[],
): { anchors: Anchor[]; problems: AnchorProblem[] } {
  const known = new Map(keys.map((key) => [key.id, key]));
  const anchors: Anchor[] = [];
  const problems: AnchorProblem[] = [];
  for (const line of lines) {
    const said = parseBody(line);
    if (!said) {
      problems.push({ code: 'unreadable', workspace: null, seq: null, detail: 'a line of the checkpoints is none' });
      continue;
    }
    const { kind, workspace, seq, at } = said;
    const problem = (code: AnchorProblem['code'], detail: string) =>
      problems.push({ code, workspace, seq, detail: `the ${kind} of ${at} ${detail}` });
    const key = known.get(line.key);
    if (!key) problem('bad_signature', `is signed by ${line.key}, which is none of the keys`);
    else if (!verify(null, Buffer.from(line.body), key.key, Buffer.from(line.signature, 'base64'))) {
      problem('bad_signature', `is not signed by ${line.key} as it says`);
    } else if ((key.from !== null && at < key.from) || (key.until !== null && at > key.until)) {
      problem('key_not_valid_at', `is signed by ${key.id}, valid from ${key.from} until ${key.until ?? 'now'}`);
    } else anchors.push(said);
  }
  return { anchors, problems };
}

function parseBody({ body, key }: SignedLine): Anchor | undefined {
  try {
    const { kind, workspace, seq, hash, at, previous } = JSON.parse(body) as Anchor;
    const whole = (kind === 'checkpoint' && typeof hash === 'string') || kind === 'heartbeat';
    if (!whole || typeof workspace !== 'string' || !Number.isSafeInteger(seq) || typeof at !== 'string')
      return undefined;
    return { kind, workspace, seq, hash: hash ?? null, at, previous: previous ?? null, digest: sha256(body), key };
  } catch {
    return undefined;
  }
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
