-- Where people of a workspace sign in (OpenID Connect).
create table identity.identity_provider (
  workspace uuid not null references identity.workspace (workspace),
  name text not null,
  -- Stands in its addresses at our side, so that a name says nothing to strangers.
  id uuid not null unique,
  issuer text not null,
  client_id text not null,
  -- Sealed with the workspace's data key; null: a public client.
  client_secret bytea,
  algorithm text not null,
  scopes text[] not null,
  groups_claim text not null,
  roles jsonb not null,
  default_role text,
  email_domains text[] not null,
  sso_only boolean not null,
  audience text,
  machines jsonb not null,
  updated_at timestamptz not null,
  primary key (workspace, name)
);
create index identity_provider_sso_only on identity.identity_provider (workspace) where sso_only;
alter table identity.identity_provider enable row level security;
alter table identity.identity_provider force row level security;
create policy own_rows on identity.identity_provider
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy platform_reads on identity.identity_provider for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select, insert, update, delete on identity.identity_provider to damask_identity;
grant select on identity.identity_provider to damask_platform;

-- Who an account is at a provider. Two providers never share an account, whatever addresses they tell.
create table identity.login_identity (
  issuer text not null,
  subject text not null,
  account uuid not null references identity.account (id),
  created_at timestamptz not null,
  primary key (issuer, subject)
);
create index login_identity_account on identity.login_identity (account);
alter table identity.login_identity enable row level security;
alter table identity.login_identity force row level security;
create policy sign_in on identity.login_identity to damask_identity
  using (current_setting('damask.role', true) = 'identity'
    and coalesce(current_setting('damask.workspace', true), '') = '');
grant select, insert on identity.login_identity to damask_identity;

-- Whose address binds them to a provider.
grant select (email) on identity.account to damask_platform;
