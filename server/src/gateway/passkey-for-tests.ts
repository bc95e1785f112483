import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface PasskeyForTests {
  readonly id: string;
  /** What the browser would answer to options for a new passkey. */
  make(ask: Ask): Record<string, unknown>;
  /** What it would answer to options for a sign-in. */
  use(ask: Ask): Record<string, unknown>;
}

export interface Ask {
  readonly challenge: string;
  readonly origin: string;
  /** Of the site that the authenticator believes to serve. */
  readonly host?: string;
  readonly type?: string;
  /** Without this bit nobody was asked who they are. */
  readonly verified?: boolean;
  readonly counter?: number;
  /** A statement about the maker, with these certificates; none without. */
  readonly statement?: {
    readonly format: 'apple' | 'packed' | 'android-key';
    readonly certificates: readonly Uint8Array[];
  };
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest();

/** CBOR: `{ alg: -7, sig: h'00', x5c: [...] }`. */
const statement = (certificates: readonly Uint8Array[]) => [
  Buffer.from('a363616c672663736967410063783563', 'hex'),
  Buffer.from([0x80 + certificates.length]),
  ...certificates.flatMap((one) => [Buffer.from([0x59, one.length >> 8, one.length & 0xff]), Buffer.from(one)]),
];

/** An authenticator in a few lines: ES256, attestation `none`. */
export function passkeyForTests(): PasskeyForTests {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const credential = randomBytes(32);
  const id = text(credential);

  const clientData = ({ challenge, origin }: Ask, type: string) =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
  const head = ({ origin, host = new URL(origin).hostname, verified = true, counter = 0 }: Ask, flags: number) => {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    return Buffer.concat([sha256(host), Buffer.from([flags | (verified ? 0x05 : 0x01)]), count]);
  };

  return {
    id,
    make(ask) {
      // COSE: kty EC2, alg ES256, crv P-256, x, y.
      const cose = Buffer.concat([
        Buffer.from('a5010203262001215820', 'hex'),
        Buffer.from(x, 'base64url'),
        Buffer.from('225820', 'hex'),
        Buffer.from(y, 'base64url'),
      ]);
      const length = Buffer.from([0, credential.length]);
      const data = Buffer.concat([head(ask, 0x40), Buffer.alloc(16), length, credential, cose]);
      const { format = 'none', certificates = [] } = ask.statement ?? {};
      const object = Buffer.concat([
        Buffer.from([0xa3, 0x63]),
        Buffer.from('fmt'),
        Buffer.from([0x60 + format.length]),
        Buffer.from(format),
        Buffer.from([0x67]),
        Buffer.from('attStmt'),
        ...(ask.statement ? statement(certificates) : [Buffer.from([0xa0])]),
        Buffer.from([0x68]),
        Buffer.from('authData'),
        Buffer.from([0x58, data.length]),
        data,
      ]);
      return {
        id,
        client_data: text(clientData(ask, ask.type ?? 'webauthn.create')),
        attestation_object: text(object),
        transports: ['internal'],
      };
    },
    use(ask) {
      const client = clientData(ask, ask.type ?? 'webauthn.get');
      const data = head(ask, 0);
      const signature = sign('sha256', Buffer.concat([data, sha256(client)]), privateKey);
      return { id, client_data: text(client), authenticator_data: text(data), signature: text(signature) };
    },
  };
}
