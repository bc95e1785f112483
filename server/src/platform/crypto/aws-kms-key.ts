import { AppError } from '../app-error.ts';
import { type StoreCredentials, signRequest } from '../backup/sign-request.ts';
import type { Clock } from '../clock.ts';
import type { Egress, EgressAnswer } from '../egress/egress.ts';
import { createKeyServiceClient, keyBytesOf, readJson, textOf } from './key-service.ts';
import type { WrapContext, WrappingKey } from './wrapping-key.ts';

export interface KmsSettings {
  /** Id or ARN of a symmetric key; an alias could be pointed elsewhere later. */
  readonly key: string;
  readonly credentials: StoreCredentials;
  /** Where the service is, when it is not AWS. */
  readonly endpoint?: string | undefined;
}

const who = 'AWS KMS';
type Action = 'Encrypt' | 'Decrypt' | 'ReEncrypt' | 'DescribeKey';

/**
 * A key of AWS KMS (docs.aws.amazon.com/kms/latest/APIReference: API_Encrypt, API_Decrypt, API_ReEncrypt, API_DescribeKey, read
 * November 2026). Workspace and version of the data key are the encryption context, so that a wrapped key that was moved does
 * not open. Never met the real service: unverified.
 */
export function createAwsKmsKey(options: { settings: KmsSettings; egress: Egress; clock: Clock }): WrappingKey {
  const { settings, egress, clock } = options;
  const { key, credentials } = settings;
  const id = `aws:${key}`;
  const url = new URL(settings.endpoint ?? `https://kms.${credentials.region}.amazonaws.com/`);
  const ask = createKeyServiceClient({
    egress,
    clock,
    passing: (answer) => /^(Throttling|LimitExceeded|KMSInternal|DependencyTimeout)/.test(faultOf(answer)),
  });

  async function call(action: Action, fields: object): Promise<Record<string, unknown>> {
    const body = Buffer.from(JSON.stringify(fields));
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${action}` };
    const answer = await ask(() => ({
      method: 'POST',
      url,
      headers: signRequest({ method: 'POST', url, headers, body, at: clock.now(), service: 'kms' }, credentials),
      body,
    }));
    if (answer.status === 200) return readJson(answer.body);
    const fault = faultOf(answer);
    throw new AppError(
      'unavailable',
      `${who} answered ${answer.status} ${fault}: ${advice[fault] ?? 'try again, or look at the state of the key'}.`,
      { retryAfterSeconds: 5 },
    );
  }

  return {
    source: 'aws',
    id,
    async wrap(context, bytes) {
      const fields = { KeyId: key, Plaintext: bytes.toString('base64'), EncryptionContext: contextOf(context) };
      return Buffer.from(textOf(await call('Encrypt', fields), 'CiphertextBlob', who), 'base64');
    },
    async unwrap(context, wrapped) {
      const fields = { KeyId: key, CiphertextBlob: wrapped.toString('base64'), EncryptionContext: contextOf(context) };
      return keyBytesOf(textOf(await call('Decrypt', fields), 'Plaintext', who), who);
    },
    async rewrap(context, wrapped) {
      const fields = {
        CiphertextBlob: wrapped.toString('base64'),
        SourceKeyId: key,
        SourceEncryptionContext: contextOf(context),
        DestinationKeyId: key,
        DestinationEncryptionContext: contextOf(context),
      };
      return Buffer.from(textOf(await call('ReEncrypt', fields), 'CiphertextBlob', who), 'base64');
    },
    async describe() {
      const { KeyMetadata } = await call('DescribeKey', { KeyId: key });
      const facts = (KeyMetadata ?? {}) as Record<string, unknown>;
      return { source: 'aws', id, name: textOf(facts, 'Arn', who), version: null };
    },
    async health() {
      try {
        const { KeyMetadata } = await call('DescribeKey', { KeyId: key });
        const { KeyState: state, KeyUsage: usage, KeySpec: spec } = (KeyMetadata ?? {}) as Record<string, unknown>;
        if (state !== 'Enabled') return `The key is in state ${state}. Enable it in AWS KMS, or cancel its deletion.`;
        return usage === 'ENCRYPT_DECRYPT' && spec === 'SYMMETRIC_DEFAULT'
          ? null
          : 'The key is not a symmetric one for encryption. Name another with DAMASK_KMS_KEY.';
      } catch (error) {
        return (error as Error).message;
      }
    },
  };
}

const contextOf = ({ workspace, version }: WrapContext) => ({
  purpose: 'damask data key',
  workspace,
  version: String(version),
});

const advice: Readonly<Record<string, string>> = {
  AccessDeniedException: 'it refuses this access key; it needs kms:Encrypt, Decrypt, ReEncrypt* and DescribeKey',
  NotFoundException: 'there is no such key; check DAMASK_KMS_KEY and AWS_REGION',
  DisabledException: 'the key is disabled; enable it in AWS KMS',
  KMSInvalidStateException: 'the key is disabled or about to be deleted; look at it in AWS KMS',
  InvalidCiphertextException: 'it does not open what it was given; the stored data key was changed or moved',
  IncorrectKeyException: 'the data key was wrapped by another key; check DAMASK_KMS_KEY',
  ThrottlingException: 'it asks to wait; try again, or ask AWS for a higher quota',
  UnrecognizedClientException: 'it does not know this access key; check AWS_ACCESS_KEY_ID',
  ExpiredTokenException: 'the lent access key has ended; renew AWS_SESSION_TOKEN',
};

/** `__type` is a bare name, or one with a namespace in front. */
function faultOf(answer: EgressAnswer): string {
  if (answer.status === 200) return '';
  const { __type: type } = readJson(answer.body);
  return typeof type === 'string' ? (/([A-Za-z]{1,64})$/.exec(type)?.[1] ?? '') : '';
}
