import { type Damask, DamaskError } from '@damask/sdk';
import { explainMissingName } from './explain-missing-name.ts';
import { InputError } from './input-error.ts';

/** A better error where it is the provider that is missing, or belongs to the server's environment and not to the workspace. */
export async function explainMissingProvider(damask: Damask, name: string, error: unknown): Promise<unknown> {
  if (!(error instanceof DamaskError) || error.code !== 'not_found') return error;
  const known = await damask.providers.list().catch(() => undefined);
  if (known?.items.some((provider) => provider.name === name && provider.origin !== 'workspace')) {
    return new InputError(`${name} comes from the settings of the server; it goes when its variable goes.`);
  }
  return explainMissingName(error, { what: 'provider', name, all: known?.items ?? [] });
}
