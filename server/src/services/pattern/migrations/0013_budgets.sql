-- What may be spent in a day or a month, by everybody in the workspace or by one key, pattern or environment.
create table pattern.budget (
  workspace uuid not null,
  id uuid not null,
  name text collate "C" not null,
  covers text not null check (covers in ('workspace', 'key', 'pattern', 'environment')),
  -- Id of the key, or name; null for the workspace.
  covered text collate "C",
  period text not null check (period in ('day', 'month')),
  limit_micros bigint check (limit_micros > 0),
  limit_tokens bigint check (limit_tokens > 0),
  updated_at timestamptz not null default now(),
  primary key (workspace, id),
  unique (workspace, name),
  check ((covered is null) = (covers = 'workspace')),
  check (limit_micros is not null or limit_tokens is not null)
);

-- What was spent of a budget in a period: settled calls only. `told`: the largest share that was announced.
create table pattern.budget_period (
  workspace uuid not null,
  budget uuid not null,
  start date not null,
  spent_micros bigint not null default 0 check (spent_micros >= 0),
  spent_tokens bigint not null default 0 check (spent_tokens >= 0),
  told smallint not null default 0,
  primary key (workspace, budget, start),
  foreign key (workspace, budget) references pattern.budget (workspace, id) on delete cascade
) with (fillfactor = 70);

-- What a process holds of a budget: its calls under way at their maximum, and what it has ready for the next ones. Read and
-- written under the lock of the period's row, so spent and held together never exceed the limit. The epoch tells a
-- process that others took for dead that its lease is over.
create table pattern.budget_lease (
  workspace uuid not null,
  budget uuid not null,
  start date not null,
  process uuid not null,
  epoch uuid not null,
  micros bigint not null check (micros >= 0),
  tokens bigint not null check (tokens >= 0),
  primary key (workspace, budget, start, process),
  foreign key (workspace, budget, start) references pattern.budget_period (workspace, budget, start) on delete cascade
) with (fillfactor = 70);
create index budget_lease_by_process on pattern.budget_lease (process);

-- A call under way: what it may cost at most, and in which periods of which budgets it counts. Whoever removes the row
-- charges it, once.
create table pattern.budget_hold (
  workspace uuid not null,
  id uuid not null,
  process uuid not null,
  run uuid not null,
  -- False: the run has this one call, so that its end tells what the call cost.
  queued boolean not null,
  micros bigint not null check (micros >= 0),
  tokens bigint not null check (tokens >= 0),
  budgets uuid[] not null,
  starts date[] not null,
  primary key (workspace, id)
);
create index budget_hold_by_process on pattern.budget_hold (process);

alter table pattern.budget enable row level security, force row level security;
alter table pattern.budget_period enable row level security, force row level security;
alter table pattern.budget_lease enable row level security, force row level security;
alter table pattern.budget_hold enable row level security, force row level security;
create policy own_rows on pattern.budget
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.budget_period
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.budget_lease
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.budget_hold
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
grant select, insert, update, delete on pattern.budget, pattern.budget_period, pattern.budget_lease to damask_pattern;
grant select, insert, delete on pattern.budget_hold to damask_pattern;

-- The table in memory, and the search for what dead processes hold.
create policy platform_reads on pattern.budget for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
create policy platform_sees on pattern.budget_lease for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
create policy platform_sees on pattern.budget_hold for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select on pattern.budget to damask_platform;
grant select (workspace, process) on pattern.budget_lease, pattern.budget_hold to damask_platform;

-- Calls and tokens of a provider that processes took of its limits of a minute, by the second in which they took them.
create table pattern.provider_take (
  workspace uuid not null,
  provider text collate "C" not null,
  second bigint not null,
  calls int not null,
  tokens bigint not null,
  primary key (workspace, provider, second)
) with (fillfactor = 70);
alter table pattern.provider_take enable row level security, force row level security;
create policy own_rows on pattern.provider_take
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
grant select, insert, update, delete on pattern.provider_take to damask_pattern;
