import { AppError } from '../app-error.ts';
import type { Clock } from '../clock.ts';
import type { Egress, EgressAnswer } from '../egress/egress.ts';
import { createKeyServiceClient, keyBytesOf, readJson, textOf } from './key-service.ts';
import type { WrapContext, WrappingKey } from './wrapping-key.ts';

export interface VaultSettings {
  /** Of the server, such as `https://vault.example.com:8200`. */
  readonly url: string;
  readonly key: string;
  readonly mount: string;
  readonly namespace?: string | undefined;
  readonly token?: string | undefined;
  readonly roleId?: string | undefined;
  readonly secretId?: string | undefined;
  readonly authMount: string;
}

const who = 'Vault';

/**
 * A key of HashiCorp Vault's transit engine (developer.hashicorp.com/vault/api-docs/secret/transit, AppRole:
 * developer.hashicorp.com/vault/api-docs/auth/approle, read November 2026). It must be a derived one: the workspace and the
 * version of the data key are its context, so that a wrapped key that was moved does not open. Never met a real Vault: unverified.
 */
export function createVaultTransitKey(options: { settings: VaultSettings; egress: Egress; clock: Clock }): WrappingKey {
  const { settings, egress, clock } = options;
  const { key, mount } = settings;
  const id = `vault:${mount}/${key}`;
  const ask = createKeyServiceClient({ egress, clock });
  let lent: { readonly token: string; readonly until: number } | undefined;
  let logging: Promise<string> | undefined;

  const addressOf = (path: string) => new URL(`${settings.url.replace(/\/+$/, '')}/v1/${path}`);
  const headersOf = (token?: string) => ({
    'content-type': 'application/json',
    'x-vault-request': 'true',
    ...(settings.namespace === undefined ? {} : { 'x-vault-namespace': settings.namespace }),
    ...(token === undefined ? {} : { 'x-vault-token': token }),
  });
  const post = (path: string, fields: object, token?: string) =>
    ask(() => ({
      method: 'POST',
      url: addressOf(path),
      headers: headersOf(token),
      body: Buffer.from(JSON.stringify(fields)),
    }));

  async function logIn(): Promise<string> {
    const answer = await post(`auth/${settings.authMount}/login`, {
      role_id: settings.roleId,
      secret_id: settings.secretId,
    });
    if (answer.status !== 200) throw refused(answer, 'refuses the AppRole; check DAMASK_VAULT_ROLE_ID and its secret');
    const auth = (readJson(answer.body).auth ?? {}) as Record<string, unknown>;
    const seconds = typeof auth.lease_duration === 'number' ? auth.lease_duration : 0;
    const token = textOf(auth, 'client_token', who);
    // Another one in good time, before this one is refused. 0: it does not end.
    lent = { token, until: seconds > 0 ? clock.monotonic() + seconds * 800 : Number.POSITIVE_INFINITY };
    return token;
  }

  async function takeToken(): Promise<string> {
    if (settings.token !== undefined) return settings.token;
    if (lent && clock.monotonic() < lent.until) return lent.token;
    logging ??= logIn().finally(() => {
      logging = undefined;
    });
    return logging;
  }

  async function withToken(send: (token: string) => Promise<EgressAnswer>): Promise<Record<string, unknown>> {
    let answer = await send(await takeToken());
    if (answer.status === 403 && lent) {
      // Revoked before its time: one login more, then it is a refusal.
      lent = undefined;
      answer = await send(await takeToken());
    }
    if (answer.status !== 200) throw refused(answer, adviceOf(answer.status));
    return (readJson(answer.body).data ?? {}) as Record<string, unknown>;
  }

  const call = (action: 'encrypt' | 'decrypt' | 'rewrap', context: WrapContext, fields: object) =>
    withToken((token) =>
      post(`${mount}/${action}/${encodeURIComponent(key)}`, { ...fields, context: contextOf(context) }, token),
    );
  const readKey = () =>
    withToken((token) =>
      ask(() => ({
        method: 'GET',
        url: addressOf(`${mount}/keys/${encodeURIComponent(key)}`),
        headers: headersOf(token),
      })),
    );

  function adviceOf(status: number): string {
    if (status === 403) return `refuses this token; it needs update on ${mount}/encrypt, decrypt and rewrap/${key}`;
    if (status === 404) return `has no key ${key} under ${mount}; check DAMASK_VAULT_KEY and DAMASK_VAULT_MOUNT`;
    if (status === 400)
      return 'does not open what it was given; was the data key moved, or min_decryption_version raised?';
    return 'does not work now; is it sealed? Try again';
  }

  return {
    source: 'vault',
    id,
    async wrap(context, bytes) {
      const data = await call('encrypt', context, { plaintext: bytes.toString('base64') });
      return Buffer.from(textOf(data, 'ciphertext', who));
    },
    async unwrap(context, wrapped) {
      const data = await call('decrypt', context, { ciphertext: wrapped.toString('utf8') });
      return keyBytesOf(textOf(data, 'plaintext', who), who);
    },
    async rewrap(context, wrapped) {
      const data = await call('rewrap', context, { ciphertext: wrapped.toString('utf8') });
      return Buffer.from(textOf(data, 'ciphertext', who));
    },
    async describe() {
      const data = await readKey();
      const version = typeof data.latest_version === 'number' ? data.latest_version : null;
      return { source: 'vault', id, name: `${mount}/${key} at ${new URL(settings.url).host}`, version };
    },
    async health() {
      try {
        const data = await readKey();
        if (data.derived !== true) {
          return `The key ${key} is not derived, so Vault cannot bind data keys to workspaces. Make another: vault write transit/keys/${key} derived=true`;
        }
        return data.supports_decryption === false
          ? `The key ${key} cannot decrypt. Name one of type aes256-gcm96.`
          : null;
      } catch (error) {
        return (error as Error).message;
      }
    },
  };
}

const contextOf = ({ workspace, version }: WrapContext) =>
  Buffer.from(`damask data key ${workspace} ${version}`).toString('base64');

function refused({ status }: EgressAnswer, advice: string): AppError {
  // What Vault says itself may name paths and policies: it stays out of answers.
  return new AppError('unavailable', `${who} answered ${status}: it ${advice}.`, { retryAfterSeconds: 5 });
}
