-- How the actor proved who it is, from where, why, and digests of what changed. What was written before has none of them.
alter table @service.audit
  add column xact bigint not null default pg_current_xact_id()::text::bigint,
  add column actor_account uuid,
  add column auth text,
  add column outcome text not null default 'done' check (outcome in ('done', 'refused')),
  add column before text,
  add column after text,
  add column address text,
  add column reason text;
-- The sequencer follows (xact, id), as readers of the outbox do.
create index audit_commit_order on @service.audit (xact, id);
-- For what the log said last of a subject.
create index audit_subject on @service.audit (workspace, subject, xact, id);
create policy platform_reads on @service.audit for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select on @service.audit to damask_platform;
create trigger only_grows before update or delete or truncate on @service.audit
  for each statement execute function platform.refuse_change();
