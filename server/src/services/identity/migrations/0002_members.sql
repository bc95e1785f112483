-- A person in the installation, who may be a member of several workspaces.
create table identity.account (
  id uuid primary key,
  email text,
  email_verified boolean not null default false,
  name text not null,
  created_at timestamptz not null,
  disabled_at timestamptz
);
create index account_email on identity.account (lower(email));

-- A person in a workspace. A removed one keeps the row.
create table identity.member (
  workspace uuid not null references identity.workspace (workspace),
  account uuid not null references identity.account (id),
  role text not null check (role ~ '^(viewer|runner|author|operator|admin|owner|custom:[a-z0-9][a-z0-9_-]{0,99})$'),
  source text not null check (source in ('local', 'invitation', 'oidc', 'scim')),
  created_at timestamptz not null,
  created_by uuid,
  removed_at timestamptz,
  primary key (workspace, account)
);
create index member_account on identity.member (account);
alter table identity.member enable row level security;
alter table identity.member force row level security;
create policy own_rows on identity.member
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy platform_reads on identity.member for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select, insert, update (role, source, created_at, created_by, removed_at) on identity.member to damask_identity;
grant select (workspace, account, role, removed_at) on identity.member to damask_platform;

alter table identity.account enable row level security;
alter table identity.account force row level security;
-- Whoever acts in a workspace sees the people of its rows only; signing in happens before there is a workspace.
create policy of_members on identity.account for select to damask_identity
  using (exists (select from identity.member where member.account = account.id));
create policy sign_in on identity.account to damask_identity
  using (current_setting('damask.role', true) = 'identity'
    and coalesce(current_setting('damask.workspace', true), '') = '');
create policy platform_reads on identity.account for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select, insert, update (email, email_verified, name, disabled_at) on identity.account to damask_identity;
grant select (id, name, disabled_at) on identity.account to damask_platform;

-- What a workspace calls a role of its own; named `custom:<name>` wherever a role is named.
create table identity.custom_role (
  workspace uuid not null references identity.workspace (workspace),
  name text not null check (name ~ '^[a-z0-9][a-z0-9_-]{0,99}$'),
  description text not null,
  permissions text[] not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (workspace, name)
);
alter table identity.custom_role enable row level security;
alter table identity.custom_role force row level security;
create policy own_rows on identity.custom_role
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy platform_reads on identity.custom_role for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select, insert, update (description, permissions, updated_at), delete on identity.custom_role to damask_identity;
grant select (workspace, name, permissions) on identity.custom_role to damask_platform;

-- A program that acts in its own name. Its keys end with it.
create table identity.service_account (
  workspace uuid not null references identity.workspace (workspace),
  id uuid not null,
  name text not null check (name ~ '^[a-z0-9][a-z0-9_-]{0,99}$'),
  description text not null,
  role text not null check (role ~ '^(viewer|runner|author|operator|admin|custom:[a-z0-9][a-z0-9_-]{0,99})$'),
  created_at timestamptz not null,
  created_by uuid,
  updated_at timestamptz not null,
  primary key (workspace, id),
  unique (workspace, name)
);
alter table identity.service_account enable row level security;
alter table identity.service_account force row level security;
create policy own_rows on identity.service_account
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy platform_reads on identity.service_account for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select, insert, update (description, role, updated_at), delete on identity.service_account to damask_identity;
grant select (workspace, id, name, role) on identity.service_account to damask_platform;

create table identity.team (
  workspace uuid not null references identity.workspace (workspace),
  name text not null check (name ~ '^[a-z0-9][a-z0-9_-]{0,99}$'),
  description text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (workspace, name)
);
alter table identity.team enable row level security;
alter table identity.team force row level security;
create policy own_rows on identity.team
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
grant select, insert, update (description, updated_at), delete on identity.team to damask_identity;

create table identity.team_member (
  workspace uuid not null,
  team text not null,
  account uuid not null,
  created_at timestamptz not null,
  primary key (workspace, team, account),
  foreign key (workspace, team) references identity.team (workspace, name) on delete cascade,
  foreign key (workspace, account) references identity.member (workspace, account)
);
create index team_member_account on identity.team_member (workspace, account);
alter table identity.team_member enable row level security;
alter table identity.team_member force row level security;
create policy own_rows on identity.team_member
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy platform_reads on identity.team_member for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select, insert, delete on identity.team_member to damask_identity;
grant select (workspace, team, account) on identity.team_member to damask_platform;

-- What narrows a key below its role; null does not narrow. A key of somebody holds no more than that one does now.
alter table identity.api_key drop constraint api_key_role_check,
  add constraint api_key_role_check
    check (role ~ '^(viewer|runner|author|operator|admin|owner|custom:[a-z0-9][a-z0-9_-]{0,99})$'),
  add column scopes text[],
  add column patterns text[],
  add column environments text[],
  add column requests_per_minute int check (requests_per_minute > 0),
  add column member uuid,
  add column service_account uuid,
  -- To the minute: written in groups, long after the request.
  add column last_used_at timestamptz,
  add check (member is null or service_account is null);
create index api_key_member on identity.api_key (workspace, member) where member is not null;
create index api_key_service_account on identity.api_key (workspace, service_account) where service_account is not null;
grant update (last_used_at) on identity.api_key to damask_identity;
grant select (scopes, patterns, environments, requests_per_minute, member, service_account) on identity.api_key
  to damask_platform;
