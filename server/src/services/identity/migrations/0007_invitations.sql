-- The workspace whose directory made an account. Only the people of that one may be it by what a directory calls them:
-- an account that is invited elsewhere belongs to whoever signs in to it.
alter table identity.account add column directory uuid;

-- Makes whoever has its secret a member, once.
create table identity.invitation (
  workspace uuid not null references identity.workspace (workspace),
  id uuid not null,
  -- SHA-256 of the secret, base64.
  hash text not null unique,
  email text,
  name text,
  role text not null check (role ~ '^(viewer|runner|author|operator|admin|owner|custom:[a-z0-9][a-z0-9_-]{0,99})$'),
  created_at timestamptz not null,
  -- Who must still be allowed to give the role when it is taken.
  created_by uuid not null,
  inviter text not null check (inviter in ('key', 'member', 'service_account')),
  expires_at timestamptz not null,
  accepted_at timestamptz,
  -- The account that became a member.
  member uuid,
  revoked_at timestamptz,
  primary key (workspace, id)
);
create index invitation_open on identity.invitation (workspace, expires_at) where accepted_at is null and revoked_at is null;
create index invitation_created_by on identity.invitation (workspace, created_by)
  where accepted_at is null and revoked_at is null;
alter table identity.invitation enable row level security;
alter table identity.invitation force row level security;
create policy own_rows on identity.invitation
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
-- Whoever brings a secret names no workspace.
create policy platform_reads on identity.invitation for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select, insert, update (accepted_at, member, revoked_at), delete on identity.invitation to damask_identity;
grant select (workspace, id, hash) on identity.invitation to damask_platform;
