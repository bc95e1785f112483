-- What every service's audit table says, in the order of commits, each row with the hash of the one before.
create table identity.audit_entry (
  workspace uuid not null,
  seq bigint not null check (seq > 0),
  -- Over all workspaces, for those that the entries are sent to. No part of the hash.
  position bigint not null unique,
  id uuid not null,
  at timestamptz not null,
  service text not null,
  actor_kind text not null,
  actor_id text collate "C" not null,
  actor_account uuid,
  auth text,
  action text collate "C" not null,
  subject text collate "C" not null,
  outcome text not null,
  before text,
  after text,
  address text,
  request_id text not null,
  reason text,
  details jsonb not null,
  previous bytea not null check (length(previous) = 32),
  hash bytea not null check (length(hash) = 32),
  primary key (workspace, seq),
  unique (workspace, id)
);
create index audit_entry_subject on identity.audit_entry (workspace, subject, seq);
create index audit_entry_actor on identity.audit_entry (workspace, actor_id, seq);
create index audit_entry_account on identity.audit_entry (workspace, actor_account, seq) where actor_account is not null;
create index audit_entry_at on identity.audit_entry (workspace, at);
alter table identity.audit_entry enable row level security;
alter table identity.audit_entry force row level security;
create policy own_rows on identity.audit_entry for select to damask_identity
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy platform_reads on identity.audit_entry for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
create policy platform_seals on identity.audit_entry for insert to damask_platform
  with check (current_setting('damask.role', true) = 'platform');
grant select on identity.audit_entry to damask_identity;
grant select, insert on identity.audit_entry to damask_platform;
create trigger only_grows before update or delete or truncate on identity.audit_entry
  for each statement execute function platform.refuse_change();

-- What was signed of the chains and written outside. `body` is what the signature is over, to the byte.
create table identity.audit_checkpoint (
  workspace uuid not null,
  id uuid not null,
  position bigint not null unique,
  seq bigint not null,
  body text not null,
  key text not null,
  signature text not null,
  primary key (workspace, id)
);
create index audit_checkpoint_seq on identity.audit_checkpoint (workspace, seq);
alter table identity.audit_checkpoint enable row level security;
alter table identity.audit_checkpoint force row level security;
create policy own_rows on identity.audit_checkpoint for select to damask_identity
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy platform_reads on identity.audit_checkpoint for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
create policy platform_signs on identity.audit_checkpoint for insert to damask_platform
  with check (current_setting('damask.role', true) = 'platform');
grant select on identity.audit_checkpoint to damask_identity;
grant select, insert on identity.audit_checkpoint to damask_platform;
create trigger only_grows before update or delete or truncate on identity.audit_checkpoint
  for each statement execute function platform.refuse_change();

-- How far each chain is sealed, counted outside and signed. It tells what is due; nothing is proven by it.
create table identity.audit_head (
  workspace uuid primary key,
  seq bigint not null,
  sealed_at timestamptz not null,
  -- The first entry that no checkpoint covers was sealed then; null when all are covered.
  open_since timestamptz,
  signed_seq bigint not null default 0,
  counted_seq bigint not null default 0,
  counted_at timestamptz
);
alter table identity.audit_head enable row level security;
alter table identity.audit_head force row level security;
create policy own_rows on identity.audit_head for select to damask_identity
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy platform_counts on identity.audit_head to damask_platform
  using (current_setting('damask.role', true) = 'platform');
create index audit_head_open on identity.audit_head (open_since) where open_since is not null;
grant select on identity.audit_head to damask_identity;
grant select, insert, update on identity.audit_head to damask_platform;
