import { hash } from 'node:crypto';
import { AppError, notFound } from '#platform/app-error.ts';
import { everywhere } from '#platform/call.ts';
import { noWorkspace } from '#platform/system-context.ts';
import { type PageSource, requireCsrf } from './csrf.ts';
import type { KnownSession, LoginSessionTable } from './login-session-table.ts';
import type { Principal } from './principal.ts';
import type { Principals } from './principals.ts';
import { cookieNameFor, readSessionCookie } from './session-cookie.ts';

/** A secret of a login session that came with a request, and how. */
export interface LoginCredential {
  readonly secret: string;
  readonly by: 'cookie' | 'header';
}

/** Recognises people who signed in. */
export interface AuthenticateLogin {
  /** Errors: `two_credentials` where there is a cookie and `authorization` too. */
  find(request: PageSource, authorization: string | undefined): LoginCredential | undefined;
  /**
   * Undefined where the session is unknown, over, or of another kind. Errors: `csrf`, `invalid_request` without exactly
   * one workspace, `not_found` in a workspace of which the account is no member.
   */
  recognise(request: PageSource, credential: LoginCredential, permission: string): Principal | undefined;
}

const bearer = /^Bearer +(dms_[A-Za-z0-9_-]{43})$/i;
const workspaceId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function createAuthenticateLogin(options: {
  readonly sessions: LoginSessionTable;
  readonly principals: Pick<Principals, 'ofMember' | 'onlyBy' | 'workspacesOf'>;
  /** Where our own pages are, the one for people first. */
  readonly origins: () => readonly string[];
}): AuthenticateLogin {
  const { sessions, principals, origins } = options;

  function asAccount(session: KnownSession): Principal | undefined {
    const { account } = session;
    const [first] = principals.workspacesOf(account);
    // Whoever is disabled or removed everywhere has no row left.
    const member = first === undefined ? undefined : principals.ofMember(first, account);
    return (
      member && {
        workspace: noWorkspace,
        actor: { kind: 'member', id: account, name: member.actor.name, role: 'viewer', account, session: session.id },
        permissions: new Set(),
        reach: everywhere,
      }
    );
  }

  return {
    find({ headers }, authorization) {
      const secret = readSessionCookie(headers?.cookie as string | undefined, cookieNameFor(origins()[0]));
      if (authorization === undefined) return secret === undefined ? undefined : { secret, by: 'cookie' };
      if (secret !== undefined) throw twoCredentials();
      const token = bearer.exec(authorization)?.[1];
      return token === undefined ? undefined : { secret: token, by: 'header' };
    },
    recognise(request, { secret, by }, permission) {
      const session = sessions.find(hash('sha256', secret, 'base64'));
      if (!session || session.kind !== (by === 'cookie' ? 'browser' : 'cli')) return undefined;
      if (by === 'cookie') requireCsrf(request, secret, origins());
      if (permission === 'account') return asAccount(session);
      if (asAccount(session) === undefined) return undefined;
      const workspace = workspaceOf(request);
      const member = principals.ofMember(workspace, session.account);
      if (!member) throw notFound();
      const only = principals.onlyBy(workspace, session.account);
      if (only && !only.includes(session.provider ?? '')) throw providerOnly(only[0] as string);
      return { ...member, actor: { ...member.actor, session: session.id } };
    },
  };
}

/** Never a default: what was meant for one workspace must not happen in another. */
function workspaceOf({ headers }: PageSource): string {
  const named = headers?.['damask-workspace'];
  // Node joins two with a comma.
  if (typeof named === 'string' && workspaceId.test(named)) return named;
  throw new AppError(
    'invalid_request',
    'Name the workspace in one header Damask-Workspace, by its id. GET /v1/login lists yours.',
  );
}

function twoCredentials(): AppError {
  return new AppError('two_credentials', 'Send a login cookie or the header Authorization, not both.');
}

function providerOnly(provider: string): AppError {
  return new AppError(
    'sso_required',
    `This workspace takes you only when you signed in by your organisation's identity provider. Go to /login/oidc/${provider}.`,
  );
}
