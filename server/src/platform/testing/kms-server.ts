import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { signRequest } from '../backup/sign-request.ts';
import { type KeeperFault, type KeyServer, misbehave } from './vault-transit-server.ts';
import { startVendorServer, type VendorCall } from './vendor-server.ts';

export interface KmsServer extends KeyServer {
  state: 'Enabled' | 'Disabled' | 'PendingDeletion';
}

export const kmsCredentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'a secret of tests', region: 'eu-central-1' };
export const kmsKey = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';

/**
 * AWS KMS with one symmetric key, from its documentation (docs.aws.amazon.com/kms/latest/APIReference, read November 2026). It
 * checks the signature of each request from what came.
 */
export async function startKmsServer(): Promise<KmsServer> {
  const versions: Buffer[] = [randomBytes(32)];
  const state = { fault: 'none' as KeeperFault, key: 'Enabled' as KmsServer['state'] };
  const asked: string[] = [];

  function encrypt(plaintext: Buffer, context: object): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', versions.at(-1) as Buffer, nonce, { authTagLength: 16 });
    cipher.setAAD(Buffer.from(canonical(context)));
    const sealed = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    return Buffer.concat([Buffer.from([versions.length]), sealed]).toString('base64');
  }

  function decrypt(blob: string, context: object): Buffer {
    const bytes = Buffer.from(blob, 'base64');
    const key = versions[(bytes[0] ?? 0) - 1];
    if (!key) throw new Error('InvalidCiphertextException');
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, 13), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(canonical(context)));
    decipher.setAuthTag(bytes.subarray(-16));
    return Buffer.concat([decipher.update(bytes.subarray(13, -16)), decipher.final()]);
  }

  const server = await startVendorServer((call, response) => {
    const action = String(call.headers['x-amz-target']).replace('TrentService.', '');
    asked.push(action);
    if (misbehave(state.fault, response)) return;
    const { status, body } = answerOf(call, action);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
  });

  function answerOf(call: VendorCall, action: string): { status: number; body: object } {
    const { body } = call;
    if (!isSigned(call)) return fault('UnrecognizedClientException');
    if ((body.KeyId ?? body.DestinationKeyId) !== kmsKey) return fault('NotFoundException');
    if (action === 'DescribeKey') {
      const facts = { KeyState: state.key, KeyUsage: 'ENCRYPT_DECRYPT', KeySpec: 'SYMMETRIC_DEFAULT', Arn: kmsKey };
      return { status: 200, body: { KeyMetadata: facts } };
    }
    if (state.key !== 'Enabled')
      return fault(state.key === 'Disabled' ? 'DisabledException' : 'KMSInvalidStateException');
    try {
      if (action === 'Encrypt') {
        const blob = encrypt(Buffer.from(body.Plaintext, 'base64'), body.EncryptionContext);
        return { status: 200, body: { CiphertextBlob: blob, KeyId: kmsKey } };
      }
      if (action === 'ReEncrypt') {
        const plaintext = decrypt(body.CiphertextBlob, body.SourceEncryptionContext);
        const blob = encrypt(plaintext, body.DestinationEncryptionContext);
        return { status: 200, body: { CiphertextBlob: blob, KeyId: kmsKey, SourceKeyId: kmsKey } };
      }
      const plaintext = decrypt(body.CiphertextBlob, body.EncryptionContext);
      return { status: 200, body: { Plaintext: plaintext.toString('base64'), KeyId: kmsKey } };
    } catch {
      return fault('InvalidCiphertextException');
    }
  }

  return {
    url: server.origin,
    asked,
    turn: () => void versions.push(randomBytes(32)),
    get fault() {
      return state.fault;
    },
    set fault(given) {
      state.fault = given;
    },
    get state() {
      return state.key;
    },
    set state(given) {
      state.key = given;
    },
    close: server.close,
  };
}

const fault = (type: string) => ({ status: 400, body: { __type: type, message: 'No.' } });
const canonical = (context: object) => JSON.stringify(Object.entries(context).sort());

function isSigned({ headers, text }: VendorCall): boolean {
  const time = String(headers['x-amz-date']).replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5');
  const expected = signRequest(
    {
      method: 'POST',
      url: new URL(`http://${headers.host}/`),
      headers: { 'content-type': String(headers['content-type']), 'x-amz-target': String(headers['x-amz-target']) },
      body: Buffer.from(text),
      at: Date.parse(time),
      service: 'kms',
    },
    kmsCredentials,
  );
  return expected.authorization === headers.authorization;
}
