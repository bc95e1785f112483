import type { ApiKey, Damask } from '@damask/sdk';
import type { Section } from './section.ts';

const dayMs = 86_400_000;

/** Who may do what: an access review as of the moment of the export. */
export const accessSections: readonly Section[] = [
  {
    what: 'members',
    path: 'access/members',
    async collect({ damask, spool }) {
      const columns = ['id', 'name', 'email', 'role', 'teams', 'source', 'disabled', 'created_at'] as const;
      await spool.list('access/members', 'GET /v1/members', columns, damask.members.listAll());
    },
  },
  {
    what: 'invitations',
    path: 'access/invitations',
    async collect({ damask, spool }) {
      const columns = [
        ...(['id', 'email', 'name', 'role', 'state', 'created_at', 'created_by', 'expires_at'] as const),
        ...(['accepted_at', 'member', 'revoked_at'] as const),
      ];
      await spool.list('access/invitations', 'GET /v1/invitations', columns, damask.invitations.listAll());
    },
  },
  {
    what: 'roles',
    path: 'access/roles',
    async collect({ damask, spool }) {
      const columns = ['role', 'description', 'permissions', 'built_in', 'created_at', 'updated_at'] as const;
      await spool.list('access/roles', 'GET /v1/roles', columns, damask.roles.listAll());
    },
  },
  {
    what: 'teams',
    path: 'access/teams',
    async collect({ damask, spool }) {
      const columns = ['name', 'description', 'members', 'created_at', 'updated_at'] as const;
      await spool.list('access/teams', 'GET /v1/teams', columns, damask.teams.listAll());
      const from = 'GET /v1/teams/{team}/members';
      await spool.list('access/teams-members', from, ['team', 'id', 'name'], teamMembers(damask));
    },
  },
  {
    what: 'API keys',
    path: 'access/keys',
    async collect({ damask, spool, now, staleDays }) {
      const keys = reviewed(damask.keys.listAll(), Date.parse(now), staleDays);
      await spool.list('access/keys', 'GET /v1/keys', keyColumns, keys);
    },
  },
  {
    what: 'directories',
    path: 'access/directories',
    async collect({ damask, spool, now, staleDays }) {
      const writers = new Set<string>();
      for await (const { role, permissions } of damask.roles.listAll()) {
        if (permissions.includes('scim:write')) writers.add(role);
      }
      const keys = reviewed(damask.keys.listAll(), Date.parse(now), staleDays);
      const from = 'GET /v1/keys, GET /v1/roles: live keys that hold scim:write';
      await spool.list(
        'access/directories',
        from,
        keyColumns,
        only(keys, (key) => speaksScim(key, writers)),
      );
    },
  },
  {
    what: 'service accounts',
    path: 'access/service-accounts',
    async collect({ damask, spool }) {
      const columns = ['id', 'name', 'description', 'role', 'created_at', 'created_by', 'updated_at'] as const;
      const rows = damask.serviceAccounts.listAll();
      await spool.list('access/service-accounts', 'GET /v1/service-accounts', columns, rows);
    },
  },
  {
    what: 'identity providers',
    path: 'access/identity-providers',
    async collect({ damask, spool }) {
      const columns = [
        ...([
          'name',
          'issuer',
          'client_id',
          'algorithm',
          'sso_only',
          'email_domains',
          'roles',
          'default_role',
        ] as const),
        ...(['audience', 'machines', 'has_secret', 'updated_at'] as const),
      ];
      const rows = damask.identityProviders.listAll();
      await spool.list('access/identity-providers', 'GET /v1/identity-providers', columns, rows);
    },
  },
];

/** A key with what a reviewer looks for. */
export interface ReviewedKey extends ApiKey {
  readonly state: 'live' | 'expired' | 'revoked';
  /** Why it should go; null where nothing speaks against it. */
  readonly stale: string | null;
}

const keyColumns = [
  ...(['id', 'name', 'prefix', 'role', 'scopes', 'patterns', 'environments', 'member', 'service_account'] as const),
  ...(['created_at', 'created_by', 'expires_at', 'revoked_at', 'last_used_at', 'state', 'stale'] as const),
] as const;

/** `now` in milliseconds since 1970. */
export function reviewKey(key: ApiKey, now: number, staleDays: number): ReviewedKey {
  const { revoked_at, expires_at, last_used_at, created_at } = key;
  if (revoked_at !== null) return { ...key, state: 'revoked', stale: null };
  if (expires_at !== null && Date.parse(expires_at) <= now) return { ...key, state: 'expired', stale: null };
  const idle = now - Date.parse(last_used_at ?? created_at) > staleDays * dayMs;
  const stale = !idle ? null : last_used_at === null ? 'never used' : `unused for ${staleDays} days`;
  return { ...key, state: 'live', stale };
}

async function* reviewed(keys: AsyncIterable<ApiKey>, now: number, staleDays: number): AsyncGenerator<ReviewedKey> {
  for await (const key of keys) yield reviewKey(key, now, staleDays);
}

function speaksScim({ state, scopes, role }: ReviewedKey, writers: ReadonlySet<string>): boolean {
  return state === 'live' && writers.has(role) && (scopes === null || scopes.includes('scim:write'));
}

async function* only<Row>(rows: AsyncIterable<Row>, fits: (row: Row) => boolean): AsyncGenerator<Row> {
  for await (const row of rows) if (fits(row)) yield row;
}

async function* teamMembers(damask: Damask) {
  for await (const { name: team } of damask.teams.listAll()) {
    for await (const { id, name } of damask.teams.listAllMembers({ team })) yield { team, id, name };
  }
}
