import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Permission } from '@damask/contracts/permissions.ts';
import { AppError } from './app-error.ts';
import type { Actor, CallContext, Reach } from './call.ts';
import type { Clock } from './clock.ts';

/** What a call between processes carries about its caller. */
export interface ServiceClaims {
  readonly requestId: string;
  readonly workspace: string;
  readonly actor: Actor;
  readonly permissions: readonly Permission[];
  readonly reach: Reach;
  readonly address?: string;
  readonly reason?: string;
  /** Milliseconds since 1970. */
  readonly deadline: number;
}

export interface ServiceTokens {
  /** `operation` is `service/name`: a token serves for one kind of call only. */
  sign(context: CallContext, operation: string): string;
  /** Throws `unauthenticated` for any fault, with one text. */
  verify(token: string, operation: string): ServiceClaims;
}

/** Long enough for clocks that differ a little, short enough to be useless when found in a log. */
const lifetime = 30_000;
/** A key that names as many patterns and environments as it may fits, and so does the token into the headers of node. */
const longest = 15_000;

/** Signed with HMAC-SHA256 and a secret that only the processes of one installation share. */
export function createServiceTokens({ secret, clock }: { secret: Buffer; clock: Clock }): ServiceTokens {
  const sign = (body: string) => createHmac('sha256', secret).update(`damask service token\n${body}`).digest();
  return {
    sign({ requestId, workspace, actor, permissions, reach, deadline, address, reason }, operation) {
      const claims = { requestId, workspace, actor, permissions: [...permissions], reach, deadline, address, reason };
      const body = Buffer.from(JSON.stringify({ claims, operation, until: clock.now() + lifetime })).toString(
        'base64url',
      );
      return `${body}.${sign(body).toString('base64url')}`;
    },
    verify(token, operation) {
      const [body = '', given = '', ...more] = token.length > longest ? [] : token.split('.');
      const wanted = sign(body);
      const found = Buffer.from(given, 'base64url');
      if (more.length > 0 || found.length !== wanted.length || !timingSafeEqual(found, wanted)) throw refused();
      const content = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as {
        claims: ServiceClaims;
        operation: string;
        until: number;
      };
      if (content.operation !== operation || content.until < clock.now()) throw refused();
      return content.claims;
    },
  };
}

function refused(): AppError {
  return new AppError(
    'unauthenticated',
    'A call between services was not signed as it must be. Check that all processes share one secret.',
  );
}
