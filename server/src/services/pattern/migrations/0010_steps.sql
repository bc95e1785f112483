-- How far a chain has come: a row for each step, item and part that has ended or waits. Written in the commit that changes or
-- ends the run's work, so nobody writes here who does not hold the run.
create table pattern.step (
  workspace uuid not null,
  run uuid not null,
  -- Empty for the one step of a run that is no chain; it has a row only if it once waited.
  path text collate "C" not null,
  state text collate "C" not null check (state in ('waiting', 'succeeded', 'failed', 'skipped')),
  -- Null for an approval.
  pattern text,
  version int,
  model text,
  calls int not null,
  attempts jsonb not null,
  usage jsonb not null,
  cost_micros bigint,
  error_code text,
  error_detail text,
  sanitised boolean not null,
  -- What a waiting step waits for, and until when.
  why text collate "C" check (why in ('approval', 'review', 'retry')),
  until timestamptz,
  started_at timestamptz not null,
  finished_at timestamptz,
  -- What a person decided; there until the step waits no more.
  decision text collate "C" check (decision in ('approve', 'reject', 'retry', 'fail')),
  decided_by uuid,
  decided_at timestamptz,
  -- Sealed.
  comment bytea,
  -- Sealed: what it answered, or asks.
  payload bytea,
  primary key (workspace, run, path),
  check ((state = 'waiting') = (why is not null))
) with (fillfactor = 80);
alter table pattern.step alter column payload set storage external;

alter table pattern.step enable row level security, force row level security;
create policy own_rows on pattern.step
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
grant select, update (decision, decided_by, decided_at, comment) on pattern.step to damask_pattern;
create policy worker_works on pattern.step to damask_worker
  using ((select current_setting('damask.role', true) = 'worker'));
grant select, insert, update on pattern.step to damask_worker;
