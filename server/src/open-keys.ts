import type { Config } from './config.ts';
import { AppError } from './platform/app-error.ts';
import type { Clock } from './platform/clock.ts';
import { createAwsKmsKey } from './platform/crypto/aws-kms-key.ts';
import { readEnvironmentKeys } from './platform/crypto/environment-key.ts';
import { type KeyEncryptionKey, loadKeyFile } from './platform/crypto/key-file.ts';
import { createLocalWrappingKey } from './platform/crypto/local-wrapping-key.ts';
import { createVaultTransitKey } from './platform/crypto/vault-transit-key.ts';
import type { KeyRing, KeySource, WrappingKey } from './platform/crypto/wrapping-key.ts';
import type { Egress } from './platform/egress/egress.ts';

/** The keys that the settings lead to: one that wraps what is new, and every other that may open what is old. */
export interface ConfiguredKeys extends KeyRing {
  /** The key of a source, whether or not it is the one that wraps. Errors: `invalid_request` when settings for it are missing. */
  of(source: KeySource): Promise<WrappingKey>;
  /** A key that is a secret of this machine, by its id; undefined for those that others keep. */
  local(id: string): Promise<KeyEncryptionKey | undefined>;
}

export interface KeyOptions {
  readonly config: Pick<Config, 'storage' | 'encryption' | 'backup'>;
  readonly egress: Egress;
  readonly clock: Clock;
}

/** Errors: `invalid_request` when the source lacks settings or the variable holds no good key. Calls nobody yet. */
export function openKeys({ config, egress, clock }: KeyOptions): ConfiguredKeys {
  const { encryption, storage, backup } = config;
  const variables = encryption.key === undefined ? [] : readEnvironmentKeys(encryption.key);
  const vault = vaultKey();
  const aws = awsKey();

  function vaultKey(): WrappingKey | undefined {
    const { vault_url: url, vault_key: key, vault_mount: mount, vault_auth_mount: authMount } = encryption;
    if (url === undefined) return undefined;
    const settings = {
      ...{ url, key, mount, authMount },
      namespace: encryption.vault_namespace,
      token: encryption.vault_token,
      roleId: encryption.vault_role_id,
      secretId: encryption.vault_secret_id,
    };
    return createVaultTransitKey({ settings, egress, clock });
  }

  function awsKey(): WrappingKey | undefined {
    const {
      access_key_id: accessKeyId,
      secret_access_key: secretAccessKey,
      session_token: sessionToken,
      region,
    } = backup;
    const { kms_key: key, kms_url: endpoint } = encryption;
    if (key === undefined || accessKeyId === undefined || secretAccessKey === undefined) return undefined;
    const settings = { key, endpoint, credentials: { accessKeyId, secretAccessKey, sessionToken, region } };
    return createAwsKmsKey({ settings, egress, clock });
  }

  const ofVariable = (kek: KeyEncryptionKey) => createLocalWrappingKey(kek, 'environment', 'DAMASK_KEY');
  const ofFile = (kek: KeyEncryptionKey, path: string) => createLocalWrappingKey(kek, 'file', path);

  async function of(source: KeySource): Promise<WrappingKey> {
    const path = storage.key_file;
    if (source === 'file') return ofFile(await loadKeyFile({ path, allowCreate: false }), path);
    const [first] = variables;
    if (source === 'environment' && first) return ofVariable(first);
    if (source === 'vault' && vault) {
      const { vault_token: token, vault_role_id: role, vault_secret_id: secret } = encryption;
      if (token !== undefined || (role !== undefined && secret !== undefined)) return vault;
      throw lacking(source, 'DAMASK_VAULT_TOKEN, or DAMASK_VAULT_ROLE_ID and DAMASK_VAULT_SECRET_ID');
    }
    if (source === 'aws' && aws) return aws;
    throw lacking(source, needs[source]);
  }

  async function local(id: string): Promise<KeyEncryptionKey | undefined> {
    const variable = variables.find((key) => key.id === id);
    if (variable || !/^[0-9a-f]{16}$/.test(id)) return variable;
    return (await findInFile(storage.key_file, id)) ?? findInFile(`${storage.key_file}.${id}`, id);
  }

  return {
    of,
    local,
    current: () => of(encryption.key_source),
    async find(id) {
      if (id === vault?.id || id === aws?.id) return id === vault?.id ? vault : aws;
      const kek = await local(id);
      if (!kek) return undefined;
      return variables.includes(kek) ? ofVariable(kek) : ofFile(kek, storage.key_file);
    },
  };
}

const needs: Readonly<Record<Exclude<KeySource, 'file'>, string>> = {
  environment: 'DAMASK_KEY',
  vault: 'DAMASK_VAULT_URL',
  aws: 'DAMASK_KMS_KEY, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
};

const lacking = (source: KeySource, names: string) =>
  new AppError('invalid_request', `The keys are to come from the source ${source}, which needs ${names}.`);

/** Undefined when there is no file, or it holds another key. One that others can read stays an error. */
async function findInFile(path: string, id: string): Promise<KeyEncryptionKey | undefined> {
  const missing = 'missing';
  try {
    const kek = await loadKeyFile({ path, allowCreate: false, missing });
    return kek.id === id ? kek : undefined;
  } catch (error) {
    if (error instanceof AppError && error.message === missing) return undefined;
    throw error;
  }
}

/**
 * The same for a process that serves: makes the key file of a new installation, and says at once when the key cannot be used.
 * Errors: as `openKeys`, and `unavailable`.
 */
export async function openServingKeys(
  options: KeyOptions & { readonly allowCreate: boolean },
): Promise<ConfiguredKeys> {
  const { config, allowCreate } = options;
  const keys = openKeys(options);
  const { key_source: source } = config.encryption;
  if (source === 'file') await loadKeyFile({ path: config.storage.key_file, allowCreate });
  const problem = await (await keys.current()).health();
  if (problem !== null) throw new AppError('unavailable', `The key that wraps all others cannot be used: ${problem}`);
  return keys;
}
