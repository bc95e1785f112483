-- What a person who signed in holds. It belongs to the account, not to a workspace: all of these are reached by the role
-- `identity` outside of any workspace only, as accounts are at sign-in.
create table identity.login_session (
  id uuid primary key,
  account uuid not null references identity.account (id),
  -- SHA-256 of the secret, base64.
  hash text not null unique,
  kind text not null check (kind in ('browser', 'cli')),
  -- How the account proved who it is: `link`, `passkey`, or the name of an identity provider.
  way text not null,
  -- Id of that provider: some workspaces take no other way in.
  provider uuid,
  user_agent text not null,
  address text not null,
  created_at timestamptz not null,
  -- To a few minutes: written in groups, long after the request.
  seen_at timestamptz not null,
  -- Ends then in any case; earlier when it is not used for so long.
  expires_at timestamptz not null,
  idle interval not null,
  revoked_at timestamptz
);
create index login_session_account on identity.login_session (account) where revoked_at is null;
create index login_session_expires on identity.login_session (expires_at);
create unique index login_session_live on identity.login_session (id) where revoked_at is null;
alter table identity.login_session enable row level security;
alter table identity.login_session force row level security;
create policy sign_in on identity.login_session to damask_identity
  using (current_setting('damask.role', true) = 'identity'
    and coalesce(current_setting('damask.workspace', true), '') = '');
create policy platform_reads on identity.login_session for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select, insert, update (seen_at, revoked_at), delete on identity.login_session to damask_identity;
grant select (id, account, hash, kind, provider, seen_at, expires_at, idle, revoked_at) on identity.login_session
  to damask_platform;

-- Signs its account in once.
create table identity.login_link (
  id uuid primary key,
  account uuid not null references identity.account (id),
  hash text not null unique,
  -- The workspace of the key that made it: a link opens no other one.
  made_in uuid not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
create index login_link_expires on identity.login_link (expires_at);
alter table identity.login_link enable row level security;
alter table identity.login_link force row level security;
create policy sign_in on identity.login_link to damask_identity
  using (current_setting('damask.role', true) = 'identity'
    and coalesce(current_setting('damask.workspace', true), '') = '');
grant select, insert, update (used_at), delete on identity.login_link to damask_identity;

create table identity.passkey (
  id uuid primary key,
  account uuid not null references identity.account (id),
  credential text not null unique,
  public_key bytea not null,
  counter bigint not null,
  transports text[] not null,
  name text not null,
  created_at timestamptz not null,
  used_at timestamptz
);
create index passkey_account on identity.passkey (account);
alter table identity.passkey enable row level security;
alter table identity.passkey force row level security;
create policy sign_in on identity.passkey to damask_identity
  using (current_setting('damask.role', true) = 'identity'
    and coalesce(current_setting('damask.workspace', true), '') = '');
grant select, insert, update (counter, used_at), delete on identity.passkey to damask_identity;

-- A challenge serves once. Only those that were answered well are here, until they would be refused anyway.
create table identity.used_challenge (
  hash text primary key,
  expires_at timestamptz not null
);
create index used_challenge_expires on identity.used_challenge (expires_at);
alter table identity.used_challenge enable row level security;
alter table identity.used_challenge force row level security;
create policy sign_in on identity.used_challenge to damask_identity
  using (current_setting('damask.role', true) = 'identity'
    and coalesce(current_setting('damask.workspace', true), '') = '');
grant select, insert, update (expires_at), delete on identity.used_challenge to damask_identity;
