import type { commandLineLoginOperations } from '@damask/contracts/command-line-login.ts';
import type { Implementation } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { approveCommandLineLogin, readCommandLineLogin } from './approve-command-line-login.ts';
import { openCommandLineLogin } from './open-command-line-login.ts';
import { redeemCommandLineLogin } from './redeem-command-line-login.ts';

/** Command lines that act for a person who approved it in a browser. */
export function createCommandLineOperations(parts: IdentityParts): Implementation<typeof commandLineLoginOperations> {
  return {
    /** Errors: `not_found`. */
    readCommandLineLogin: (_, input) => readCommandLineLogin(parts, input),
    /** Errors: `not_found`, `forbidden` for all but browsers. */
    approveCommandLineLogin: (context, input) => approveCommandLineLogin(parts, context, input),
    /** For 10 minutes. Errors: `rate_limited`. */
    openCommandLineLogin: (_, input) => openCommandLineLogin(parts, input),
    /** Errors: `sign_in_refused`. */
    redeemCommandLineLogin: (context, input) => redeemCommandLineLogin(parts, context, input),
  };
}
