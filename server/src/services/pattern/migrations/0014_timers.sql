-- Runs that the clock starts. A tick is its row in timer_tick: whoever inserts it, in the transaction that accepts the run, fires it.
create table pattern.timer (
  workspace uuid not null,
  name text collate "C" not null,
  cron text not null,
  time_zone text not null,
  missed text not null check (missed in ('skip', 'last', 'all')),
  overlap text not null check (overlap in ('allow', 'skip')),
  paused boolean not null,
  starts_at timestamptz,
  ends_at timestamptz,
  -- The pattern that it runs, for lists; all else is sealed.
  pattern text not null,
  run bytea not null,
  -- Who put it: its runs are theirs.
  actor_kind text not null,
  actor uuid not null,
  -- Null: paused, or over.
  next_at timestamptz,
  updated_at timestamptz not null,
  primary key (workspace, name)
);
create index timer_due on pattern.timer (next_at) where next_at is not null;

create table pattern.timer_tick (
  workspace uuid not null,
  timer text collate "C" not null,
  at timestamptz not null,
  fired_at timestamptz not null default now(),
  state text not null check (state in ('fired', 'missed', 'skipped', 'failed')),
  -- What it started: a run, or a batch.
  run uuid,
  batch uuid,
  error_code text,
  error_detail text,
  primary key (workspace, timer, at),
  foreign key (workspace, timer) references pattern.timer (workspace, name) on delete cascade
);
create index timer_tick_by_age on pattern.timer_tick (fired_at);

-- Sealed bytes cannot be compressed; without this the database would try.
alter table pattern.timer alter column run set storage external;

alter table pattern.timer enable row level security, force row level security;
alter table pattern.timer_tick enable row level security, force row level security;
create policy own_rows on pattern.timer
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.timer_tick
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
grant select, insert, update, delete on pattern.timer to damask_pattern;
grant select, insert on pattern.timer_tick to damask_pattern;

-- Finds what is due, and forgets old ticks, across workspaces.
create policy platform_sees on pattern.timer for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
create policy platform_sees on pattern.timer_tick for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
create policy platform_forgets on pattern.timer_tick for delete to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select (workspace, name, next_at) on pattern.timer to damask_platform;
grant select (workspace, timer, at, fired_at), delete on pattern.timer_tick to damask_platform;
