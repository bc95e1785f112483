-- What a directory says of a member by SCIM. The row outlives the membership: who was taken out stays known as such.
create table identity.scim_user (
  workspace uuid not null references identity.workspace (workspace),
  account uuid not null,
  user_name text not null,
  external_id text,
  display_name text,
  formatted_name text,
  given_name text,
  family_name text,
  emails jsonb not null,
  -- The user name and the addresses in lower case: other members with one of these are the same person.
  addresses text[] not null,
  -- Those that ended together with this one, and come back with it.
  ended_with uuid[] not null default '{}',
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  primary key (workspace, account),
  foreign key (workspace, account) references identity.member (workspace, account)
);
create unique index scim_user_name on identity.scim_user (workspace, lower(user_name)) where deleted_at is null;
create index scim_user_external_id on identity.scim_user (workspace, external_id) where external_id is not null;
create index scim_user_addresses on identity.scim_user using gin (addresses);
alter table identity.scim_user enable row level security;
alter table identity.scim_user force row level security;
create policy own_rows on identity.scim_user
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
grant select, insert, update (user_name, external_id, display_name, formatted_name, given_name, family_name, emails,
  addresses, ended_with, updated_at, deleted_at) on identity.scim_user to damask_identity;

create table identity.scim_group (
  workspace uuid not null references identity.workspace (workspace),
  id uuid not null,
  display_name text not null,
  external_id text,
  -- The team that it fills; null where it gives a role.
  team text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (workspace, id)
);
create unique index scim_group_name on identity.scim_group (workspace, lower(display_name));
alter table identity.scim_group enable row level security;
alter table identity.scim_group force row level security;
create policy own_rows on identity.scim_group
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
grant select, insert, update (display_name, external_id, team, updated_at), delete on identity.scim_group
  to damask_identity;

create table identity.scim_group_member (
  workspace uuid not null,
  scim_group uuid not null,
  account uuid not null,
  primary key (workspace, scim_group, account),
  foreign key (workspace, scim_group) references identity.scim_group (workspace, id) on delete cascade,
  foreign key (workspace, account) references identity.member (workspace, account)
);
create index scim_group_member_account on identity.scim_group_member (workspace, account);
alter table identity.scim_group_member enable row level security;
alter table identity.scim_group_member force row level security;
create policy own_rows on identity.scim_group_member
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
grant select, insert, delete on identity.scim_group_member to damask_identity;
