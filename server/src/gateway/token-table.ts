import { hash } from 'node:crypto';
import type { identityProviderOperations, TokenIssuerRow } from '@damask/contracts/identity-provider.ts';
import { AppError } from '#platform/app-error.ts';
import type { Client } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { systemContext } from '#platform/system-context.ts';
import type { Principal } from './principal.ts';
import type { Principals } from './principals.ts';
import { readTable } from './read-table.ts';

/** What of a request tells of a token. */
export interface TokenSource {
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * Machines that bring tokens of identity providers. A token is verified once, by the identity service; then it is known
 * here until it ends or its provider changes, so that asking who somebody is stays a look into memory.
 */
export interface TokenTable {
  /** Reads anew which issuers are known. */
  load(): Promise<void>;
  /** Verifies a token that is not known yet; undefined when there is nothing to wait for. */
  prepare(request: TokenSource): Promise<void> | undefined;
  /** Undefined for what was not found valid. Errors: `invalid_request` without exactly one workspace. */
  find(request: TokenSource): Principal | undefined;
}

interface Entry {
  readonly serviceAccount: string;
  readonly workspace: string;
  readonly provider: string;
  readonly providerAt: string;
  readonly expiresAt: number;
}

type Calls = Pick<Client<typeof identityProviderOperations>, 'readTokenIssuers' | 'verifyToken'>;

const bearer = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;
const workspaceId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const longestToken = 8_192;
const mostKnown = 10_000;
const mostAtOnce = 32;
/** A bad token is not looked at again for so long. */
const refusedMs = 5_000;

export function createTokenTable(options: {
  readonly identity: Calls;
  readonly principals: Pick<Principals, 'ofServiceAccount'>;
  readonly clock: Clock;
}): TokenTable {
  const { identity, principals, clock } = options;
  let issuers = new Map<string, TokenIssuerRow[]>();
  const known = new Map<string, Entry>();
  // Apart: whoever sends many that are not valid must not push out those that are. Until when each stays refused.
  const refused = new Map<string, number>();
  const running = new Map<string, Promise<void>>();

  function keep<Value>(map: Map<string, Value>, key: string, value: Value) {
    if (map.size >= mostKnown) map.delete(map.keys().next().value as string);
    map.set(key, value);
  }

  async function verify(key: string, token: string, workspace: string, candidates: readonly TokenIssuerRow[]) {
    for (const { id, updated_at } of candidates) {
      const entry = { workspace, provider: id, providerAt: updated_at };
      const { machine } = await identity.verifyToken(systemContext(clock), { provider: id, token });
      if (!machine) continue;
      const expiresAt = Date.parse(machine.expires_at);
      keep(known, key, { ...entry, serviceAccount: machine.service_account, expiresAt });
      return;
    }
    keep(refused, key, clock.now() + refusedMs);
  }

  function live(key: string): Entry | undefined {
    const entry = known.get(key);
    return entry && entry.expiresAt > clock.now() ? entry : undefined;
  }

  return {
    async load() {
      const read = new Map<string, TokenIssuerRow[]>();
      const versions = new Map<string, string>();
      await readTable<TokenIssuerRow>(systemContext(clock), identity.readTokenIssuers, (row) => {
        versions.set(row.id, row.updated_at);
        const name = `${row.workspace} ${row.issuer}`;
        const rows = read.get(name);
        if (rows) rows.push(row);
        else read.set(name, [row]);
      });
      issuers = read;
      refused.clear();
      for (const [key, { provider, providerAt }] of known) {
        if (versions.get(provider) !== providerAt) known.delete(key);
      }
    },
    prepare(request) {
      const given = readToken(request);
      if (given?.workspace === undefined) return undefined;
      const { token, workspace, key } = given;
      if (live(key) || (refused.get(key) ?? 0) > clock.now()) return undefined;
      const candidates = issuers.get(`${workspace} ${issuerOf(token)}`);
      if (!candidates) return undefined;
      const under = running.get(key);
      if (under) return under;
      if (running.size >= mostAtOnce) throw busy();
      const started = verify(key, token, workspace, candidates).finally(() => running.delete(key));
      running.set(key, started);
      return started;
    },
    find(request) {
      const given = readToken(request);
      if (!given) return undefined;
      if (given.workspace === undefined) throw workspaceMissing();
      const entry = live(given.key);
      return entry && principals.ofServiceAccount(entry.workspace, entry.serviceAccount);
    },
  };
}

function readToken({ headers = {} }: TokenSource) {
  const { authorization } = headers;
  if (typeof authorization !== 'string' || authorization.length > longestToken) return undefined;
  const token = bearer.exec(authorization)?.[1];
  if (token === undefined) return undefined;
  const named = headers['damask-workspace'];
  const workspace = typeof named === 'string' && workspaceId.test(named) ? named : undefined;
  return { token, workspace, key: hash('sha256', `${workspace} ${token}`, 'base64') };
}

/** What a token says of its issuer, before anything of it is known to be true. */
function issuerOf(token: string): string {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString('utf8')) as unknown;
    const { iss } = (claims ?? {}) as { iss?: unknown };
    return typeof iss === 'string' ? iss : '';
  } catch {
    return '';
  }
}

function workspaceMissing(): AppError {
  return new AppError('invalid_request', 'Name the workspace in one header Damask-Workspace, by its id.');
}

function busy(): AppError {
  return new AppError('overloaded', 'Too many new tokens are being checked. Try again in a second.', {
    retryAfterSeconds: 1,
  });
}
