import type { identityProviderOperations } from '@damask/contracts/identity-provider.ts';
import type { Implementation } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { beginSignIn } from './begin-sign-in.ts';
import { deleteIdentityProvider } from './delete-identity-provider.ts';
import { finishSignIn } from './finish-sign-in.ts';
import { listIdentityProviders } from './list-identity-providers.ts';
import { createProviderConnections } from './provider-connections.ts';
import { putIdentityProvider } from './put-identity-provider.ts';
import { readIdentityProvider } from './read-identity-provider.ts';
import { readTokenIssuers } from './read-token-issuers.ts';
import { createTokenKeys } from './token-keys.ts';
import { verifyToken } from './verify-token.ts';

/** Identity providers (OpenID Connect): who they are, sign-ins by them, tokens of machines. */
export function identityProviders(parts: IdentityParts): Implementation<typeof identityProviderOperations> {
  const connections = createProviderConnections(parts);
  const keys = createTokenKeys(parts);
  return {
    /** By name. Errors: `invalid_cursor`. */
    listIdentityProviders: (context, input) => listIdentityProviders(parts, context, input),
    /** Errors: `not_found`. */
    readIdentityProvider: (context, input) => readIdentityProvider(parts, context, input),
    /** Errors: `invalid_request`, `egress_denied`, `policy_refused`, `secret_required`, `forbidden` for a role above one's own. */
    putIdentityProvider: (context, input) => putIdentityProvider(parts, context, input),
    /** Errors: `not_found`. */
    deleteIdentityProvider: (context, input) => deleteIdentityProvider(parts, context, input),
    /** Errors: `not_found`, `policy_refused` without a public address, `unavailable`. */
    beginSignIn: (context, input) => beginSignIn(parts, connections, context, input),
    /** Errors: `invalid_sign_in`, `sign_in_refused`, `not_found`, `unavailable`. */
    finishSignIn: (context, input) => finishSignIn(parts, connections, context, input),
    /** Null for a token that is not valid. Errors: `unavailable`. */
    verifyToken: (context, input) => verifyToken(parts, keys, context, input),
    /** A page of all providers that take tokens of machines. */
    readTokenIssuers: (context, input) => readTokenIssuers(parts, context, input),
  };
}
