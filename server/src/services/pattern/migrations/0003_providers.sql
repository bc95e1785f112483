create table pattern.provider (
  workspace uuid not null,
  name text not null,
  base_url text not null,
  -- Sealed with the workspace's data key; null: the provider needs none.
  api_key bytea,
  models jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (workspace, name)
);
alter table pattern.provider enable row level security;
alter table pattern.provider force row level security;
create policy own_rows on pattern.provider
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy platform_reads on pattern.provider for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select, insert, update, delete on pattern.provider to damask_pattern;
grant select on pattern.provider to damask_platform;
