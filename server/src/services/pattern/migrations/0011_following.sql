-- What a run has said so far, for those who follow it from another process. Its text is in pattern.finished once it has
-- ended, and this goes.
create table pattern.run_output (
  workspace uuid not null,
  run uuid not null,
  -- Another attempt, perhaps of another process, writes another text: only that of the highest token counts.
  token bigint not null,
  attempt int not null,
  -- Bytes of the text before this piece, and in it.
  start bigint not null,
  bytes int not null,
  written_at timestamptz not null default now(),
  -- Sealed.
  piece bytea not null,
  primary key (workspace, run, token, attempt, start)
);
alter table pattern.run_output alter column piece set storage external;
create index run_output_by_time on pattern.run_output (written_at);

-- What the process that executes a run is told: to stop it, to write down what it says while somebody follows it, or to look
-- what was decided.
create table pattern.run_signal (
  workspace uuid not null,
  run uuid not null,
  kind text not null check (kind in ('cancel', 'publish', 'decided')),
  -- Who executes it as far as is known; of a queued run the task tells.
  process uuid not null,
  asked_at timestamptz not null default now(),
  primary key (workspace, run, kind)
);
create index run_signal_by_process on pattern.run_signal (process);

alter table pattern.run_output enable row level security, force row level security;
alter table pattern.run_signal enable row level security, force row level security;
create policy own_rows on pattern.run_output for select
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.run_signal
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
grant select on pattern.run_output to damask_pattern;
grant select, insert, update on pattern.run_signal to damask_pattern;

create policy worker_writes on pattern.run_output to damask_worker
  using ((select current_setting('damask.role', true) = 'worker'));
create policy worker_reads on pattern.run_signal to damask_worker
  using ((select current_setting('damask.role', true) = 'worker'));
grant select, insert, update, delete on pattern.run_output to damask_worker;
grant select, delete on pattern.run_signal to damask_worker;
