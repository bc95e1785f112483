import type { SealedColumn } from '#platform/crypto/sealed-column.ts';
import { providersTopic } from './identity-parts.ts';
import { secretPlace } from './oidc/describe-provider.ts';

/** Every column of this service that holds sealed values. A test finds those that are missing. */
export const identitySealedColumns: readonly SealedColumn[] = [
  {
    table: 'identity.identity_provider',
    column: 'client_secret',
    key: { name: 'text' },
    also: ['id'],
    place: ({ id = '' }) => secretPlace(id),
    topic: providersTopic,
  },
];
