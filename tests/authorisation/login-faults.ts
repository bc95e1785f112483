import { hash, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { LoginSessionTableRow } from '@damask/contracts/login.ts';
import type { MemberTableRow } from '@damask/contracts/member.ts';
import { browserForTests } from '../../server/src/gateway/browser-for-tests.ts';
import { csrfToken } from '../../server/src/gateway/csrf.ts';
import { type AnyCall, behindGateway, type Planted, replaceCall } from './behind-gateway.ts';
import type { Fault } from './planted-faults.ts';
import type { TwoWorkspaces } from './two-workspaces.ts';

/** Secrets of login sessions of alpha's owner. */
export interface Logins {
  readonly account: string;
  readonly live: string;
  readonly revoked: string;
  readonly expired: string;
  readonly idle: string;
}

export async function makeLogins(world: TwoWorkspaces): Promise<Logins> {
  const enter = () => browserForTests(world.platform);
  const [live, revoked, expired, idle] = [await enter(), await enter(), await enter(), await enter()];
  const ended = await revoked.call('DELETE', '/v1/login');
  if (ended.status >= 300) throw new Error(ended.text);
  const secretOf = (cookie: string) => cookie.slice(cookie.indexOf('=') + 1);
  const logins: Logins = {
    account: live.login.account.id,
    live: secretOf(live.cookie()),
    revoked: secretOf(revoked.entered.headers.get('set-cookie')?.split(';')[0] ?? ''),
    expired: secretOf(expired.cookie()),
    idle: secretOf(idle.cookie()),
  };
  await world.sql(
    `update identity.login_session set expires_at = now() - interval '1 s', created_at = now() - interval '1 d' where hash = $1`,
    [hashOf(logins.expired)],
  );
  await world.sql(`update identity.login_session set seen_at = now() - interval '13 h' where hash = $1`, [
    hashOf(logins.idle),
  ]);
  return logins;
}

const hashOf = (secret: string) => hash('sha256', secret, 'base64');

/** What is wrong with what people who signed in are answered. */
export async function signedIn(world: TwoWorkspaces, logins: Logins): Promise<string[]> {
  const body = { name: 'made by a page', role: 'viewer' };
  const own = { 'damask-workspace': world.alpha.workspace };
  const token = { 'damask-csrf': csrfToken(logins.live) };
  const page = { 'sec-fetch-site': 'same-origin' };
  const asked: [secret: string, method: string, headers: Record<string, string>, expected: number][] = [
    [logins.live, 'GET', own, 200],
    [logins.live, 'POST', { ...own, ...token, ...page }, 201],
    [logins.live, 'POST', { ...own, ...page }, 403],
    [logins.live, 'POST', { ...own, ...token, 'sec-fetch-site': 'cross-site' }, 403],
    [logins.live, 'POST', { ...own, ...token, ...page, origin: 'https://evil.example' }, 403],
    [logins.live, 'POST', { ...own, ...token }, 403],
    [logins.live, 'GET', {}, 400],
    [logins.live, 'GET', { 'damask-workspace': world.beta.workspace }, 404],
    [logins.revoked, 'GET', own, 401],
    [logins.expired, 'GET', own, 401],
    [logins.idle, 'GET', own, 401],
  ];
  const wrong: string[] = [];
  for (const [secret, method, named, expected] of asked) {
    const headers = Object.entries({ cookie: `damask=${secret}`, ...named });
    const { status } = await world.send(method, '/v1/keys', { headers, ...(method === 'POST' ? { body } : {}) });
    if (status !== expected) wrong.push(`${method} with ${JSON.stringify(named)}: expected ${expected}, got ${status}`);
  }
  return wrong;
}

/** Each check of people who signed in, taken away. */
export function loginFaults(world: TwoWorkspaces, logins: Logins): Fault[] {
  const fault = (name: string, planted: (world: TwoWorkspaces) => Planted): Fault => ({
    name,
    catch: (given) => behindGateway(given, planted(given), (at) => signedIn(at, logins)),
  });
  const changed = (name: string, change: (request: IncomingMessage) => void) => fault(name, () => ({ change }));
  const accepted = (name: 'revoked' | 'expired' | 'idle') =>
    fault(`${name} login sessions are accepted`, (given) => ({
      clients: replaceCall(given, 'identity', 'readLoginSessionTable', addRow(sessionRow(logins, logins[name]))),
    }));
  const member: MemberTableRow = {
    workspace: world.beta.workspace,
    account: logins.account,
    name: 'planted',
    role: 'owner',
    teams: [],
  };
  return [
    changed('a write with a cookie needs no token', ({ headers }) => {
      headers['damask-csrf'] = csrfToken(logins.live);
    }),
    changed('pages of other sites write with a cookie', (request) => {
      request.headers['sec-fetch-site'] = 'same-origin';
    }),
    changed('the origin of a write does not matter', (request) => {
      request.headers.origin = undefined;
    }),
    changed('whoever names no workspace gets one', ({ headers }) => {
      headers['damask-workspace'] ??= world.alpha.workspace;
    }),
    fault('members act in workspaces that are not theirs', (given) => ({
      clients: replaceCall(given, 'identity', 'readMemberTable', addRow(member)),
    })),
    accepted('revoked'),
    accepted('expired'),
    accepted('idle'),
  ];
}

function sessionRow({ account }: Logins, secret: string): LoginSessionTableRow {
  const seen_at = new Date().toISOString();
  const expires_at = new Date(Date.now() + 3_600_000).toISOString();
  const id = randomUUID();
  return {
    id,
    account,
    hash: hashOf(secret),
    kind: 'browser',
    provider: null,
    seen_at,
    expires_at,
    idle_ms: 3_600_000,
  };
}

/** The last page of a table with one more row. */
const addRow =
  (row: object) =>
  (real: AnyCall): AnyCall =>
  async (context, input) => {
    const page = (await real(context, input)) as { items: object[]; next?: string | null };
    return page.next ? page : { ...page, items: [...page.items, row] };
  };
