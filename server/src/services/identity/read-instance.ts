import type { identityOperations } from '@damask/contracts/identity.ts';
import type { OutputOf } from '@damask/contracts/operation.ts';
import type { IdentityParts } from './identity-parts.ts';
import { findInstance } from './store.ts';

export function readInstance({ database }: IdentityParts): Promise<OutputOf<typeof identityOperations.readInstance>> {
  return database.transaction({ role: 'identity', workspace: null }, findInstance);
}
