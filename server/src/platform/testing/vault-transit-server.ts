import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { startVendorServer, type VendorCall } from './vendor-server.ts';

/** What a fake keeper of keys does instead of answering. */
export type KeeperFault = 'none' | 'down' | 'slow' | 'refuses' | 'throttles' | 'fails' | 'lies';

export interface KeyServer {
  readonly url: string;
  fault: KeeperFault;
  /** Makes a new version of the key, as its keeper's own rotation does. */
  turn(): void;
  /** What was asked, such as `encrypt`, in order. */
  readonly asked: string[];
  close(): Promise<void>;
}

export interface TransitServer extends KeyServer {
  minDecryptionVersion: number;
  readonly tokens: Set<string>;
}

/**
 * HashiCorp Vault's transit engine with one derived key `damask`, and AppRole, from their documentation
 * (developer.hashicorp.com/vault/api-docs/secret/transit and /auth/approle, read November 2026).
 */
export async function startTransitServer(): Promise<TransitServer> {
  const versions: Buffer[] = [randomBytes(32)];
  const state = { fault: 'none' as KeeperFault, minDecryptionVersion: 1 };
  const tokens = new Set(['root-token']);
  const asked: string[] = [];

  const keyOf = (version: number, context: Buffer) =>
    Buffer.from(hkdfSync('sha256', versions[version - 1] as Buffer, '', context, 32));

  function encrypt(plaintext: Buffer, context: Buffer): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', keyOf(versions.length, context), nonce, { authTagLength: 16 });
    const bytes = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    return `vault:v${versions.length}:${bytes.toString('base64')}`;
  }

  function decrypt(ciphertext: string, context: Buffer): Buffer {
    const [, number = '', text = ''] = /^vault:v(\d+):(.+)$/.exec(ciphertext) ?? [];
    const version = Number(number);
    if (!versions[version - 1] || version < state.minDecryptionVersion) throw new Error('version is too old');
    const bytes = Buffer.from(text, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', keyOf(version, context), bytes.subarray(0, 12), {
      authTagLength: 16,
    });
    decipher.setAuthTag(bytes.subarray(-16));
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
  }

  const server = await startVendorServer((call, response) => {
    const [, action = ''] = /^\/v1\/(?:transit|auth\/approle)\/(\w+)/.exec(call.path) ?? [];
    asked.push(action);
    if (misbehave(state.fault, response)) return;
    const answer = answerOf(call, action);
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  });

  function answerOf({ path, headers, body }: VendorCall, action: string): { status: number; body: object } {
    if (path === '/v1/auth/approle/login') {
      if (body.role_id !== 'role' || body.secret_id !== 'secret') return refusal(400, 'invalid role or secret ID');
      const token = `lent-${tokens.size}`;
      tokens.add(token);
      return { status: 200, body: { auth: { client_token: token, lease_duration: 3600, renewable: true } } };
    }
    if (!tokens.has(String(headers['x-vault-token']))) return refusal(403, 'permission denied');
    if (!path.endsWith('/damask')) return refusal(404, 'no such key');
    if (action === 'keys') {
      const facts = { derived: true, latest_version: versions.length, supports_decryption: true, type: 'aes256-gcm96' };
      return { status: 200, body: { data: { ...facts, min_decryption_version: state.minDecryptionVersion } } };
    }
    if (!body.context) return refusal(400, "missing 'context' for key derivation");
    const context = Buffer.from(body.context, 'base64');
    try {
      if (action === 'encrypt') {
        return { status: 200, body: { data: { ciphertext: encrypt(Buffer.from(body.plaintext, 'base64'), context) } } };
      }
      const plaintext = decrypt(String(body.ciphertext), context);
      const data =
        action === 'rewrap'
          ? {
              ciphertext: encrypt(state.fault === 'lies' ? randomBytes(32) : plaintext, context),
              key_version: versions.length,
            }
          : { plaintext: plaintext.toString('base64') };
      return { status: 200, body: { data } };
    } catch {
      return refusal(400, 'cipher: message authentication failed');
    }
  }

  return {
    url: server.origin,
    asked,
    tokens,
    turn: () => void versions.push(randomBytes(32)),
    get fault() {
      return state.fault;
    },
    set fault(fault) {
      state.fault = fault;
    },
    get minDecryptionVersion() {
      return state.minDecryptionVersion;
    },
    set minDecryptionVersion(version) {
      state.minDecryptionVersion = version;
    },
    close: server.close,
  };
}

const refusal = (status: number, message: string) => ({ status, body: { errors: [message] } });

/** True when the fault took the place of an answer. */
export function misbehave(fault: KeeperFault, response: ServerResponse): boolean {
  if (fault === 'down') response.destroy();
  else if (fault === 'refuses') {
    response.writeHead(403, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: ['permission denied'], __type: 'AccessDeniedException' }));
  } else if (fault === 'throttles') {
    response.writeHead(429, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: ['rate limited'], __type: 'ThrottlingException' }));
  } else if (fault === 'fails') response.writeHead(503).end('{"errors":["Vault is sealed"]}');
  // Slow: never answers at all, until the client leaves.
  return fault !== 'none' && fault !== 'lies';
}
