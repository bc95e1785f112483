-- Keys of HMACs that must stay the same when a workspace gets a new data key: by them rows are found. Sealed with the data key.
create table platform.index_key (
  workspace uuid primary key,
  sealed bytea not null
);

-- Workspaces whose data keys were destroyed. None is made for them again.
create table platform.shredded_workspace (
  workspace uuid primary key,
  shredded_at timestamptz not null default now()
);

-- A new version of a workspace's data key, and how far what older ones sealed has been sealed anew.
create table platform.rotation (
  workspace uuid not null,
  version int not null,
  started_at timestamptz not null default now(),
  -- Each pass reads all sealed columns; the last one finds nothing that an older version sealed.
  pass int not null default 1,
  pass_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (workspace, version)
);
create unique index rotation_open on platform.rotation (workspace) where finished_at is null;

create table platform.resealing (
  workspace uuid not null,
  version int not null,
  -- `pattern.finished.payload`
  place text collate "C" not null,
  pass int not null,
  -- The key of the last row that was looked at; null: none yet.
  position jsonb,
  total bigint not null,
  seen bigint not null default 0,
  resealed bigint not null default 0,
  -- In use by others in that moment: for the next pass.
  skipped bigint not null default 0,
  -- Do not open: damaged, or sealed by a key that is lost.
  failed bigint not null default 0,
  -- Milliseconds that were spent on it, pauses included.
  spent_ms bigint not null default 0,
  done boolean not null default false,
  primary key (workspace, version, place, pass),
  foreign key (workspace, version) references platform.rotation (workspace, version) on delete cascade
);

alter table platform.data_key enable row level security, force row level security;
alter table platform.index_key enable row level security, force row level security;
alter table platform.shredded_workspace enable row level security, force row level security;
alter table platform.rotation enable row level security, force row level security;
alter table platform.resealing enable row level security, force row level security;

create policy own_rows on platform.data_key
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on platform.index_key
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on platform.shredded_workspace
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on platform.rotation
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on platform.resealing
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);

-- Keeps the keys in memory, of all workspaces.
create policy platform_works on platform.data_key to damask_platform
  using (current_setting('damask.role', true) = 'platform');
create policy platform_reads on platform.index_key for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
create policy platform_reads on platform.shredded_workspace for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
-- Finds the rotations that have work; the work is done in each one's workspace.
create policy platform_reads on platform.rotation for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
-- For the operator's commands, which go in as the owner.
create policy owner_works on platform.data_key to damask_owner
  using (current_setting('damask.role', true) = 'owner');
create policy owner_works on platform.index_key to damask_owner
  using (current_setting('damask.role', true) = 'owner');
grant select on platform.index_key, platform.shredded_workspace, platform.rotation to damask_platform;

-- Seals anew what older versions sealed, in one workspace at a time, and deletes an older version in the end.
grant select (workspace, version), delete on platform.data_key to damask_sealer;
grant select, update (pass, pass_at, finished_at) on platform.rotation to damask_sealer;
grant select, insert, update on platform.resealing to damask_sealer;
grant select, insert, update on platform.topic to damask_sealer;
