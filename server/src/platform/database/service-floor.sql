-- What every service has: an audit trail and an outbox, both append-only for the service.
create table @service.audit (
  workspace uuid not null,
  id uuid not null,
  at timestamptz not null default now(),
  actor_kind text not null,
  actor_id text not null,
  action text not null,
  subject text not null,
  details jsonb not null,
  request_id text not null,
  primary key (workspace, id)
);
alter table @service.audit enable row level security;
alter table @service.audit force row level security;
create policy own_rows on @service.audit
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
grant select, insert on @service.audit to @service_role;

-- Readers follow (xact, id) below the oldest running transaction: an id alone would lose late commits.
create table @service.outbox (
  workspace uuid not null,
  id uuid primary key,
  xact bigint not null default pg_current_xact_id()::text::bigint,
  at timestamptz not null default now(),
  name text not null,
  version int not null,
  data jsonb not null,
  request_id text not null
);
create index outbox_commit_order on @service.outbox (xact, id);
alter table @service.outbox enable row level security;
alter table @service.outbox force row level security;
create policy own_rows on @service.outbox
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy platform_reads on @service.outbox for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select, insert on @service.outbox to @service_role;
grant select on @service.outbox to damask_platform;
grant select, insert, update on platform.topic to @service_role;
