import type { IdentityProvider } from '@damask/contracts/identity-provider.ts';
import type { ProviderRow } from './provider-store.ts';

/** What is shown of a provider; never its secret. */
export function describeProvider(row: ProviderRow, publicUrl: string | null): IdentityProvider {
  const { workspace: _, client_secret, updated_at, ...shown } = row;
  return {
    ...shown,
    has_secret: client_secret !== null,
    login_url: publicUrl && loginUrl(publicUrl, row.id),
    redirect_uri: publicUrl && redirectUri(publicUrl, row.id),
    updated_at: updated_at.toISOString(),
  };
}

export function loginUrl(publicUrl: string, id: string): string {
  return `${publicUrl}/login/oidc/${id}`;
}

/** Another one for each provider: an answer that was meant for one cannot be brought to another. */
export function redirectUri(publicUrl: string, id: string): string {
  return `${loginUrl(publicUrl, id)}/callback`;
}

export const secretPlace = (id: string) => ({ table: 'identity.identity_provider', row: id, column: 'client_secret' });
