-- Many inputs for one version. A batch is seen once its upload is whole: what a killed upload left is in state receiving and goes.
create table pattern.batch (
  workspace uuid not null,
  id uuid not null,
  status text collate "C" not null
    check (status in ('receiving', 'queued', 'running', 'paused', 'cancelling', 'finished', 'stopped', 'cancelled')),
  reason text,
  -- The process that receives it.
  process uuid,
  pattern text not null,
  version int not null,
  -- What its reader sees of the request and its pins; no texts.
  settings jsonb not null,
  -- Sealed: what runs are made from, texts included.
  plan bytea not null,
  actor uuid not null,
  created_at timestamptz not null,
  -- Not before.
  ready_at timestamptz not null,
  deadline timestamptz,
  started_at timestamptz,
  -- Runs from before are no reason to pause it again.
  resumed_at timestamptz,
  finished_at timestamptz,
  -- Lines; those without a run yet come after next_line.
  total int not null default 0,
  rejected int not null default 0,
  begun int not null default 0,
  -- Begun, and to be run once more: what ended their runs was no fault of theirs.
  again int not null default 0,
  next_line int not null default 0,
  succeeded int not null default 0,
  failed int not null default 0,
  cancelled int not null default 0,
  shared int not null default 0,
  input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  cost_micros bigint not null default 0,
  unpriced int not null default 0,
  -- Lines that ended in a second, of late, and until when they were counted.
  rate double precision,
  rated_at timestamptz,
  rated int not null default 0,
  primary key (workspace, id)
) with (fillfactor = 70);
create index batch_active on pattern.batch (workspace, id) where finished_at is null;

-- Good lines as they came, some hundred sealed together.
create table pattern.batch_chunk (
  workspace uuid not null,
  batch uuid not null,
  first_line int not null,
  last_line int not null,
  lines int not null,
  content bytea not null,
  primary key (workspace, batch, first_line),
  foreign key (workspace, batch) references pattern.batch (workspace, id) on delete cascade
);

-- Bad lines of a batch that goes on without them: what is wrong with each, sealed together.
create table pattern.batch_rejected (
  workspace uuid not null,
  batch uuid not null,
  first_line int not null,
  last_line int not null,
  lines int not null,
  content bytea not null,
  primary key (workspace, batch, first_line),
  foreign key (workspace, batch) references pattern.batch (workspace, id) on delete cascade
);
alter table pattern.batch alter column plan set storage external;
alter table pattern.batch_chunk alter column content set storage external;
alter table pattern.batch_rejected alter column content set storage external;

-- A line whose run was made, in the transaction that made it: none has two. A line like an earlier one names that in same_as.
create table pattern.batch_line (
  workspace uuid not null,
  batch uuid not null,
  line int not null,
  run uuid,
  same_as int,
  state text collate "C" not null default 'open' check (state in ('open', 'again', 'succeeded', 'failed', 'cancelled')),
  primary key (workspace, batch, line),
  foreign key (workspace, batch) references pattern.batch (workspace, id) on delete cascade
) with (fillfactor = 80);
create index batch_line_open on pattern.batch_line (workspace, batch, line) where state in ('open', 'again');
create index batch_line_failed on pattern.batch_line (workspace, batch, line) where state = 'failed';

alter table pattern.batch enable row level security, force row level security;
alter table pattern.batch_chunk enable row level security, force row level security;
alter table pattern.batch_rejected enable row level security, force row level security;
alter table pattern.batch_line enable row level security, force row level security;

create policy own_rows on pattern.batch
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.batch_chunk
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.batch_rejected
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.batch_line
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
grant select, insert, update, delete on pattern.batch to damask_pattern;
grant select, insert, delete on pattern.batch_chunk, pattern.batch_rejected to damask_pattern;
grant select, insert, update (run, state), delete on pattern.batch_line to damask_pattern;

-- Finds the batches that have work, of all workspaces, and what dead processes left; the work is done in each one's workspace.
create policy platform_reads on pattern.batch for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select (workspace, id, status, process, created_at, ready_at, deadline, finished_at) on pattern.batch to damask_platform;

-- Which batch a run belongs to. Partitions take it over.
alter table pattern.accepted add column batch uuid;
alter table pattern.finished add column batch uuid;
