-- What a run may have beside its plain course: an end user, found by an HMAC; the run that it repeats or whose answer it took.
alter table pattern.accepted add column subject text, add column rerun_of uuid, add column cached_from uuid;
alter table pattern.finished add column subject text, add column rerun_of uuid, add column cached_from uuid;
-- Costs nothing for the runs that name nobody. Partitions take it over.
create index finished_by_subject on pattern.finished (workspace, subject, id) where subject is not null;

-- Who sends a key first owns it: the claim and the acceptance of its run are one commit, before the call goes out.
-- Key and request are HMACs, so that neither can be read or guessed here.
create table pattern.claim (
  workspace uuid not null,
  operation text not null,
  key bytea not null,
  request bytea not null,
  run uuid not null,
  claimed_at timestamptz not null default now(),
  primary key (workspace, operation, key)
);
create index claim_by_time on pattern.claim (claimed_at);
alter table pattern.claim enable row level security, force row level security;
create policy own_rows on pattern.claim
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
grant select, insert on pattern.claim to damask_pattern;
-- Forgets what is old, across workspaces.
create policy platform_sees on pattern.claim for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
create policy platform_forgets on pattern.claim for delete to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select (workspace, operation, key, claimed_at), delete on pattern.claim to damask_platform;

-- A run with a key is accepted in the transaction of its claim, not by the journal's writer.
create policy claimed_runs on pattern.accepted for insert to damask_pattern
  with check (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
grant insert on pattern.accepted to damask_pattern;

revoke execute on function pattern.ensure_partitions(int) from public;
