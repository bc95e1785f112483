-- Who this installation is, and the workspace that its first start made. One row.
create table identity.instance (
  only_row boolean primary key default true check (only_row),
  id uuid not null default gen_random_uuid(),
  first_workspace uuid,
  created_at timestamptz not null default now()
);
insert into identity.instance default values;
alter table identity.instance enable row level security;
alter table identity.instance force row level security;
create policy service_only on identity.instance to damask_identity
  using (current_setting('damask.role', true) = 'identity');
grant select, update (first_workspace) on identity.instance to damask_identity;

create table identity.workspace (
  workspace uuid primary key,
  name text not null,
  created_at timestamptz not null
);
alter table identity.workspace enable row level security;
alter table identity.workspace force row level security;
create policy own_rows on identity.workspace
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
grant select, insert on identity.workspace to damask_identity;

create table identity.api_key (
  workspace uuid not null references identity.workspace (workspace),
  id uuid not null,
  name text not null,
  role text not null check (role in ('viewer', 'runner', 'author', 'operator', 'admin', 'owner')),
  prefix text not null,
  -- SHA-256 of the whole key, base64.
  hash text not null unique,
  created_at timestamptz not null,
  created_by uuid,
  expires_at timestamptz,
  revoked_at timestamptz,
  primary key (workspace, id)
);
-- The key table is read across workspaces, page by page, in the order of the ids.
create unique index api_key_live on identity.api_key (id) where revoked_at is null;
alter table identity.api_key enable row level security;
alter table identity.api_key force row level security;
create policy own_rows on identity.api_key
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy platform_reads on identity.api_key for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
-- A key is never changed or deleted, only revoked.
grant select, insert, update (revoked_at) on identity.api_key to damask_identity;
grant select (workspace, id, name, role, hash, expires_at, revoked_at) on identity.api_key to damask_platform;
