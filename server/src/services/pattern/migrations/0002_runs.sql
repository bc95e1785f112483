-- The journal: two append-only tables. A run is running while it has no finished row of its own.
-- Both are partitioned on the time in the UUIDv7 id, with the same bounds, and are dropped together.
create table pattern.accepted (
  workspace uuid not null,
  id uuid not null,
  process uuid not null,
  accepted_at timestamptz not null,
  pattern text not null,
  version int not null,
  digest text not null,
  environment text,
  label text,
  strategy text,
  model text not null,
  stream boolean not null,
  actor uuid not null,
  metadata jsonb not null,
  primary key (workspace, id)
) partition by range (id);

create table pattern.finished (
  workspace uuid not null,
  id uuid not null,
  xact bigint not null default pg_current_xact_id()::text::bigint,
  process uuid not null,
  accepted_at timestamptz not null,
  finished_at timestamptz not null,
  status text not null check (status in ('succeeded', 'failed', 'cancelled')),
  pattern text not null,
  version int not null,
  digest text not null,
  environment text,
  label text,
  strategy text,
  model text not null,
  stream boolean not null,
  actor uuid not null,
  metadata jsonb not null,
  stop_reason text,
  input_tokens int,
  output_tokens int,
  cached_input_tokens int,
  reasoning_tokens int,
  cost_micros bigint,
  first_output_ms double precision,
  total_ms double precision,
  error_code text,
  error_detail text,
  attempts jsonb not null,
  sanitised boolean not null,
  payload bytea,
  primary key (workspace, id)
) partition by range (id);

-- Sealed bytes cannot be compressed; without this the database would try. Partitions take it over.
alter table pattern.finished alter column payload set storage external;

-- Block ranges cost next to nothing on insert, and both columns grow with the table.
create index accepted_by_time on pattern.accepted using brin (id) with (pages_per_range = 32);
create index finished_commit_order on pattern.finished using brin (xact) with (pages_per_range = 32);

create table pattern.accepted_rest partition of pattern.accepted default;
create table pattern.finished_rest partition of pattern.finished default;

-- Rows that the database will never take, kept for the operator.
create table pattern.quarantined (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  workspace uuid not null,
  run uuid not null,
  reason text not null,
  digest text not null
);

-- The lowest UUIDv7 of a moment; there are none before 1970.
create function pattern.uuid_at(moment timestamptz) returns uuid language sql immutable as $$
  select (lpad(to_hex(greatest((extract(epoch from moment) * 1000)::bigint, 0)), 12, '0') || '00000000000000000000')::uuid
$$;

-- Makes the weekly partitions from the last week on. Weeks begin on Monday, UTC. A partition is made beside its table and then
-- attached, which unlike `partition of` lets those go on who write. Runs of its week that came too early move into it.
create function pattern.ensure_partitions(weeks int) returns int
  language plpgsql security definer set search_path = pg_catalog as $$
declare
  monday timestamptz;
  week text;
  parent text;
  made int := 0;
  low uuid;
  high uuid;
begin
  perform pg_advisory_xact_lock(hashtextextended('damask partitions', 0));
  for i in -1..weeks loop
    monday := date_trunc('week', now() at time zone 'utc') at time zone 'utc' + make_interval(weeks => i);
    week := to_char(monday at time zone 'utc', 'IYYY"w"IW');
    continue when to_regclass('pattern.accepted_' || week) is not null;
    low := pattern.uuid_at(monday);
    high := pattern.uuid_at(monday + interval '7 days');
    foreach parent in array array['accepted', 'finished'] loop
      execute format('create table pattern.%I (like pattern.%I including all)', parent || '_' || week, parent);
      -- Even the owner sees no row of a table under forced policies.
      execute format('alter table pattern.%I no force row level security', parent || '_rest');
      execute format('with early as (delete from pattern.%I where id >= %L and id < %L returning *)
        insert into pattern.%I select * from early', parent || '_rest', low, high, parent || '_' || week);
      execute format('alter table pattern.%I force row level security', parent || '_rest');
      -- The parent's policies do not hold for who names a partition. It has none, so nobody sees anything there.
      execute format('alter table pattern.%I enable row level security, force row level security', parent || '_' || week);
      execute format('alter table pattern.%I attach partition pattern.%I for values from (%L) to (%L)',
        parent, parent || '_' || week, low, high);
    end loop;
    made := made + 1;
  end loop;
  return made;
end $$;
select pattern.ensure_partitions(8);

alter table pattern.accepted_rest enable row level security, force row level security;
alter table pattern.finished_rest enable row level security, force row level security;
alter table pattern.accepted enable row level security;
alter table pattern.accepted force row level security;
alter table pattern.finished enable row level security;
alter table pattern.finished force row level security;
alter table pattern.quarantined enable row level security;
alter table pattern.quarantined force row level security;

create policy own_rows on pattern.accepted for select
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.finished for select
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.quarantined for select
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);

-- A group holds runs of many workspaces, so the writer is not bound to one; it can only insert.
create policy journal_writes on pattern.accepted for insert to damask_journal
  with check (current_setting('damask.role', true) = 'journal');
create policy journal_writes on pattern.finished for insert to damask_journal
  with check (current_setting('damask.role', true) = 'journal');
create policy journal_writes on pattern.quarantined for insert to damask_journal
  with check (current_setting('damask.role', true) = 'journal');
grant insert on pattern.accepted, pattern.finished, pattern.quarantined to damask_journal;
grant select on pattern.accepted, pattern.finished, pattern.quarantined to damask_pattern;

-- Finds runs whose process died; of finished runs it sees that they exist, not what they hold.
create policy platform_reads on pattern.accepted for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
create policy platform_reads on pattern.finished for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select on pattern.accepted to damask_platform;
grant select (workspace, id, xact) on pattern.finished to damask_platform;
grant execute on function pattern.ensure_partitions(int) to damask_platform;
