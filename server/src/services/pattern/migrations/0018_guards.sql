-- What checks found in an answer, as a list of {check, found, count, action}, and what was taken out of the stored texts, by kind.
alter table pattern.finished add column flags jsonb;
alter table pattern.finished add column redacted jsonb;
alter table pattern.step add column flags jsonb;

-- What a workspace has taken out of the texts of all its runs before they are stored.
create table pattern.redaction (
  workspace uuid primary key,
  -- {kinds, expressions, model}
  rules jsonb not null
);
alter table pattern.redaction enable row level security, force row level security;
create policy own_rows on pattern.redaction
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy platform_reads on pattern.redaction for select to damask_platform
  using (current_setting('damask.role', true) = 'platform');
grant select, insert, update (rules) on pattern.redaction to damask_pattern;
grant select on pattern.redaction to damask_platform;
