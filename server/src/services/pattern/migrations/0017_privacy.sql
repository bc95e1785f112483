-- How carefully a run's texts are handled (null: internal), and why it has none. Partitions take it over.
alter table pattern.accepted add column data_class text, add column texts text;
alter table pattern.finished add column data_class text, add column texts text;
-- Costs nothing for the runs that name nobody.
create index accepted_by_subject on pattern.accepted (workspace, subject, id) where subject is not null;
-- Whether a line of it names a subject.
alter table pattern.batch_chunk add column subjects boolean not null default false;
create index batch_chunk_of_subjects on pattern.batch_chunk (workspace, batch, first_line) where subjects;

-- Personal texts that name a subject are sealed with its key as well. Who deletes the row shreds them, in old copies too.
create table pattern.subject_key (
  workspace uuid not null,
  -- HMAC of the name.
  subject text collate "C" not null,
  id uuid not null,
  wrapped bytea not null,
  created_at timestamptz not null default now(),
  primary key (workspace, subject),
  unique (workspace, id)
);

-- What the workspace demands of runs, and how long it keeps them: [{of, data_class, environment, days}].
create table pattern.retention (
  workspace uuid primary key,
  least_class text not null check (least_class in ('public', 'internal', 'confidential', 'personal')),
  rules jsonb not null,
  updated_at timestamptz not null default now()
);

-- How far the keeper has looked for a rule; begun anew each day, since runs may end late.
create table pattern.retention_progress (
  workspace uuid not null,
  rule text collate "C" not null,
  through uuid not null,
  begun_at timestamptz not null default now(),
  primary key (workspace, rule)
);

-- What was removed, by day.
create table pattern.removal (
  workspace uuid not null,
  id uuid not null,
  day date not null,
  removed_at timestamptz not null default now(),
  reason text not null check (reason in ('retention', 'erasure')),
  of text not null,
  way text not null check (way in ('shredded', 'deleted', 'dropped')),
  data_class text not null,
  environment text not null,
  count bigint not null,
  oldest timestamptz not null,
  newest timestamptz not null,
  primary key (workspace, id),
  unique (workspace, day, reason, of, way, data_class, environment)
);

-- What must stay, whatever retention and erasure say: what all that is named here holds of.
create table pattern.legal_hold (
  workspace uuid not null,
  name text collate "C" not null,
  reason text not null,
  -- HMAC of the name; the name itself is sealed.
  subject text collate "C",
  subject_name bytea,
  pattern text collate "C",
  since timestamptz,
  until timestamptz,
  placed_at timestamptz not null default now(),
  placed_by text not null,
  primary key (workspace, name),
  check ((subject is null) = (subject_name is null)),
  check (subject is not null or pattern is not null or since is not null or until is not null)
);

-- A subject that is being erased, or was. Its HMAC goes when all else has gone.
create table pattern.erasure (
  workspace uuid not null,
  id uuid not null,
  subject text collate "C",
  state text not null check (state in ('running', 'done', 'held')),
  hold text,
  counts jsonb not null default '{}',
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (workspace, id),
  check ((state = 'running') = (subject is not null))
);
create unique index erasure_running on pattern.erasure (workspace, subject) where subject is not null;

alter table pattern.subject_key enable row level security, force row level security;
alter table pattern.retention enable row level security, force row level security;
alter table pattern.retention_progress enable row level security, force row level security;
alter table pattern.removal enable row level security, force row level security;
alter table pattern.legal_hold enable row level security, force row level security;
alter table pattern.erasure enable row level security, force row level security;

create policy own_rows on pattern.subject_key
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.retention
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.retention_progress
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.removal
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.legal_hold
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.erasure
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
grant select, insert on pattern.subject_key, pattern.erasure to damask_pattern;
grant select, insert, update on pattern.retention to damask_pattern;
grant select on pattern.removal to damask_pattern;
grant select, insert, update, delete on pattern.legal_hold to damask_pattern;
grant delete on pattern.retention_progress to damask_pattern;
grant select on pattern.retention_progress to damask_pattern;

-- The table in memory, and the search for what is to be done, across workspaces: no texts and no names.
create policy platform_reads on pattern.retention for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
create policy platform_sees on pattern.erasure for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
create policy platform_sees on pattern.legal_hold for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select on pattern.retention to damask_platform;
grant select (workspace, id, subject, state) on pattern.erasure to damask_platform;
grant select (workspace, name) on pattern.legal_hold to damask_platform;

-- Who removes is bound to one workspace too, and alone may change what the journal has written: take texts and names away, or
-- whole rows.
create policy keeper_removes on pattern.accepted to damask_keeper
  using (current_setting('damask.role', true) = 'keeper'
    and workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy keeper_removes on pattern.finished to damask_keeper
  using (current_setting('damask.role', true) = 'keeper'
    and workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy keeper_removes on pattern.run_output to damask_keeper
  using (current_setting('damask.role', true) = 'keeper'
    and workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
grant select, delete, update (subject, metadata, texts) on pattern.accepted to damask_keeper;
grant select, delete, update (subject, metadata, error_detail, texts, payload) on pattern.finished to damask_keeper;
grant select, delete, update (payload, comment, error_detail) on pattern.step to damask_keeper;
grant select, delete on pattern.run_output, pattern.run_signal, pattern.batch, pattern.batch_line, pattern.batch_rejected,
  pattern.session, pattern.timer, pattern.timer_tick, pattern.subject_key to damask_keeper;
grant select, delete, update (content, subjects) on pattern.batch_chunk to damask_keeper;
grant update (bytes) on pattern.session to damask_keeper;
grant select, delete, update (content, bytes) on pattern.turn to damask_keeper;
grant select on pattern.task, pattern.retention, pattern.legal_hold to damask_keeper;
grant select, insert, update, delete on pattern.retention_progress, pattern.removal to damask_keeper;
grant select, update (state, subject, hold, counts, finished_at) on pattern.erasure to damask_keeper;
grant insert on pattern.audit, pattern.outbox to damask_keeper;
grant select, insert, update on platform.topic to damask_keeper;

-- Drops a week whose rows are all past the retention of their workspaces, which are named; null when another one has rows in it,
-- or something in it has not ended. Answers what went, by workspace.
create function pattern.drop_week(week text, past uuid[])
  returns table (workspace uuid, runs bigint, oldest timestamptz, newest timestamptz)
  language plpgsql security definer set search_path = pg_catalog set lock_timeout = '500ms' as $$
declare
  parent text;
  others boolean;
begin
  if week !~ '^\d{4}w\d{2}$' then raise exception 'Not a week: %', week; end if;
  if to_regclass('pattern.finished_' || week) is null or to_regclass('pattern.accepted_' || week) is null then return; end if;
  perform pg_advisory_xact_lock(hashtextextended('damask partitions', 0));
  -- Whoever still ends a run of that week waits, or is waited for. Even the owner sees no row of a table under forced policies.
  foreach parent in array array['accepted', 'finished'] loop
    execute format('lock table pattern.%I in access exclusive mode', parent || '_' || week);
    execute format('alter table pattern.%I no force row level security', parent || '_' || week);
  end loop;
  execute format('select exists (select from pattern.%1$I as a where a.workspace <> all($1)
      or not exists (select from pattern.%2$I as f where f.workspace = a.workspace and f.id = a.id))
    or exists (select from pattern.%2$I as f where f.workspace <> all($1))', 'accepted_' || week, 'finished_' || week)
    into others using past;
  if others then
    foreach parent in array array['accepted', 'finished'] loop
      execute format('alter table pattern.%I force row level security', parent || '_' || week);
    end loop;
    return;
  end if;
  return query execute format('select f.workspace, count(*), min(f.accepted_at), max(f.accepted_at) from pattern.%I as f group by 1',
    'finished_' || week);
  foreach parent in array array['accepted', 'finished'] loop
    execute format('drop table pattern.%I', parent || '_' || week);
  end loop;
end $$;
revoke execute on function pattern.drop_week(text, uuid[]) from public;
grant execute on function pattern.drop_week(text, uuid[]) to damask_keeper;
