-- Texts of patterns by their hash: versions that share a file share its row. Nothing here is ever changed.
create table pattern.file (
  workspace uuid not null,
  hash text not null,
  content text not null,
  primary key (workspace, hash)
);

create table pattern.pattern (
  workspace uuid not null,
  id uuid not null,
  name text collate "C" not null,
  -- Number of the newest version.
  latest int not null,
  -- Where the newest content that came from outside was taken from; `api` when none did.
  source_kind text not null check (source_kind in ('api', 'starter', 'import')),
  source_origin text,
  -- What last came from outside under this name, taken or not: the third side of the next import's comparison.
  upstream_kind text check (upstream_kind in ('starter', 'import')),
  upstream_digest text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  -- The transaction of the last change: tables in memory read on from the oldest that was running.
  xact bigint not null,
  primary key (workspace, id),
  check ((upstream_kind is null) = (upstream_digest is null))
);
create unique index pattern_living_name on pattern.pattern (workspace, name) where deleted_at is null;
create index pattern_deleted_name on pattern.pattern (workspace, name, id) where deleted_at is not null;
create index pattern_by_change on pattern.pattern (xact, workspace, id);

create table pattern.version (
  workspace uuid not null,
  pattern uuid not null,
  number int not null check (number > 0),
  -- Of the files that affect a run, and of all files.
  digest text not null,
  files_digest text not null,
  -- [{path, hash}] in the order of the paths.
  files jsonb not null,
  system_hash text not null,
  message text,
  source_kind text not null check (source_kind in ('api', 'starter', 'import')),
  source_origin text,
  title text not null,
  description text not null,
  tags text[] not null,
  model text,
  parameters jsonb not null,
  variables jsonb not null,
  literal_tokens text[] not null,
  disabled_capabilities text[] not null,
  created_at timestamptz not null,
  created_by uuid,
  primary key (workspace, pattern, number),
  foreign key (workspace, pattern) references pattern.pattern (workspace, id),
  foreign key (workspace, system_hash) references pattern.file (workspace, hash)
);

create table pattern.label (
  workspace uuid not null,
  pattern uuid not null,
  name text collate "C" not null,
  number int not null,
  primary key (workspace, pattern, name),
  foreign key (workspace, pattern, number) references pattern.version (workspace, pattern, number)
);

-- A deleted strategy stays as a tombstone, so that tables in memory learn of it.
create table pattern.strategy (
  workspace uuid not null,
  name text collate "C" not null,
  description text not null,
  prompt text not null,
  digest text not null,
  upstream_kind text check (upstream_kind in ('starter', 'import')),
  upstream_digest text,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  xact bigint not null,
  primary key (workspace, name),
  check ((upstream_kind is null) = (upstream_digest is null))
);
create index strategy_by_change on pattern.strategy (xact, workspace, name);

create function pattern.note_transaction() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  new.xact := pg_current_xact_id()::text::bigint;
  return new;
end $$;
create trigger note_transaction before insert or update on pattern.pattern
  for each row execute function pattern.note_transaction();
create trigger note_transaction before insert or update on pattern.strategy
  for each row execute function pattern.note_transaction();

-- Holds where one role has every grant, too. Erasing a workspace is the owner's.
create function pattern.refuse_change() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  if current_setting('damask.role', true) is distinct from 'owner' then
    raise exception 'What was published never changes' using errcode = 'restrict_violation';
  end if;
  return null;
end $$;
create trigger immutable before update or delete or truncate on pattern.version
  for each statement execute function pattern.refuse_change();
create trigger immutable before update or delete or truncate on pattern.file
  for each statement execute function pattern.refuse_change();

alter table pattern.file enable row level security;
alter table pattern.file force row level security;
alter table pattern.pattern enable row level security;
alter table pattern.pattern force row level security;
alter table pattern.version enable row level security;
alter table pattern.version force row level security;
alter table pattern.label enable row level security;
alter table pattern.label force row level security;
alter table pattern.strategy enable row level security;
alter table pattern.strategy force row level security;

create policy own_rows on pattern.file
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.pattern
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.version
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.label
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.strategy
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);

grant select, insert on pattern.file, pattern.version to damask_pattern;
grant select, insert on pattern.pattern, pattern.strategy to damask_pattern;
grant update (latest, source_kind, source_origin, upstream_kind, upstream_digest, updated_at, deleted_at)
  on pattern.pattern to damask_pattern;
grant update (description, prompt, digest, upstream_kind, upstream_digest, updated_at, deleted_at)
  on pattern.strategy to damask_pattern;
grant select, insert, update (number), delete on pattern.label to damask_pattern;

-- The run path's table in memory, across workspaces. Texts of patterns are no payloads.
-- The select is there for the planner: it takes a bare comparison for one that hides 99.5 % of the rows.
create policy platform_reads on pattern.file for select to damask_platform
  using ((select current_setting('damask.role', true) = 'platform'));
create policy platform_reads on pattern.pattern for select to damask_platform
  using ((select current_setting('damask.role', true) = 'platform'));
create policy platform_reads on pattern.version for select to damask_platform
  using ((select current_setting('damask.role', true) = 'platform'));
create policy platform_reads on pattern.label for select to damask_platform
  using ((select current_setting('damask.role', true) = 'platform'));
create policy platform_reads on pattern.strategy for select to damask_platform
  using ((select current_setting('damask.role', true) = 'platform'));
grant select on pattern.file, pattern.label to damask_platform;
grant select (workspace, id, name, latest, deleted_at, xact) on pattern.pattern to damask_platform;
grant select (workspace, pattern, number, digest, system_hash, model, parameters, variables, literal_tokens,
  disabled_capabilities) on pattern.version to damask_platform;
grant select (workspace, name, prompt, deleted_at, xact) on pattern.strategy to damask_platform;
