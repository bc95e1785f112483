-- Queued work: a row for each run that waits for a worker, is in one's hands, or waits for a person. It goes in the statement
-- that keeps the run's end. Nobody but the holder of the newest token may write for it.
create table pattern.task (
  workspace uuid not null,
  -- The run.
  id uuid not null,
  lane text collate "C" not null check (lane in ('interactive', 'bulk')),
  priority smallint not null check (priority between -10 and 10),
  -- For their limits; empty where calls differ, as those of a chain.
  provider text collate "C" not null,
  model text collate "C" not null,
  batch uuid,
  -- Not before; infinity: until somebody decides.
  ready_at timestamptz not null,
  deadline timestamptz,
  state text collate "C" not null default 'queued' check (state in ('queued', 'running', 'waiting')),
  -- The process that has it in hand.
  owner uuid,
  -- One more with each claim and each take-over.
  token bigint not null default 0,
  -- Processes that had it in hand and died, since the last end of a step.
  deliveries int not null default 0,
  -- Calls that were noted as going out, without their ends.
  calling jsonb,
  -- Whether there are records of steps.
  stepped boolean not null default false,
  why text,
  -- Sealed: what is to be run.
  request bytea not null,
  primary key (workspace, id),
  check ((state = 'running') = (owner is not null))
) with (
  -- Room for the marks of calls beside the row. Rows come and go all the time: cleaned up by their number, not their share.
  fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0,
  toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 5000
);
alter table pattern.task alter column request set storage external;

-- The ready list of each workspace, lane, provider and model.
create index task_ready on pattern.task (workspace, lane, provider, model, priority desc, ready_at, id)
  where state <> 'running';
-- Few rows: what is in hand, for limits and for taking over.
create index task_running on pattern.task (owner, workspace, provider, model) where state = 'running';
create index task_deadline on pattern.task (deadline) where deadline is not null;
create index task_batch on pattern.task (workspace, batch) where batch is not null;

-- Whose turn it is: who was served longest ago comes first. A workspace may have a limit of its own.
create table pattern.task_turn (
  workspace uuid primary key,
  served bigint not null default 0,
  concurrency int check (concurrency > 0)
) with (fillfactor = 50);

alter table pattern.task enable row level security, force row level security;
alter table pattern.task_turn enable row level security, force row level security;

create policy own_rows on pattern.task
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.task_turn
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
grant select, insert on pattern.task to damask_pattern;
grant update (ready_at, state, why) on pattern.task to damask_pattern;
grant select, insert, update (concurrency) on pattern.task_turn to damask_pattern;

-- Workers take what is ready, of all workspaces, and keep the ends. The select is there for the planner, which takes a bare
-- comparison for one that hides nearly all rows.
create policy worker_works on pattern.task to damask_worker
  using ((select current_setting('damask.role', true) = 'worker'));
create policy worker_works on pattern.task_turn to damask_worker
  using ((select current_setting('damask.role', true) = 'worker'));
create policy worker_accepts on pattern.accepted for insert to damask_worker
  with check ((select current_setting('damask.role', true) = 'worker'));
create policy worker_reads on pattern.accepted for select to damask_worker
  using ((select current_setting('damask.role', true) = 'worker'));
create policy worker_ends on pattern.finished for insert to damask_worker
  with check ((select current_setting('damask.role', true) = 'worker'));
create policy worker_reads on pattern.finished for select to damask_worker
  using ((select current_setting('damask.role', true) = 'worker'));
create policy worker_sets_aside on pattern.quarantined for insert to damask_worker
  with check ((select current_setting('damask.role', true) = 'worker'));
create policy worker_reads on pattern.provider for select to damask_worker
  using ((select current_setting('damask.role', true) = 'worker'));
grant select, insert, update, delete on pattern.task, pattern.task_turn to damask_worker;
grant select, insert on pattern.accepted to damask_worker;
-- Of an end it sees whether it is its own, not what it holds.
grant insert, select (workspace, id, process, finished_at) on pattern.finished to damask_worker;
grant insert on pattern.quarantined to damask_worker;
grant select (workspace, name, models, limits) on pattern.provider to damask_worker;

-- Runs that are queued have not been left behind by the process that accepted them.
create policy platform_reads on pattern.task for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select (workspace, id) on pattern.task to damask_platform;
