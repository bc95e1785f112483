-- Keys, members and service accounts that may run nothing any more, as identity said: what they had queued until then is refused.
create table pattern.stopped_actor (
  workspace uuid not null,
  actor uuid not null,
  at timestamptz not null,
  primary key (workspace, actor)
);
alter table pattern.stopped_actor enable row level security, force row level security;
create policy own_rows on pattern.stopped_actor
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy platform_reads on pattern.stopped_actor for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select, insert, update (at) on pattern.stopped_actor to damask_pattern;
grant select on pattern.stopped_actor to damask_platform;
