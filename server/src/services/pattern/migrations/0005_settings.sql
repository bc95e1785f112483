-- What pattern.yaml settles beside the older columns. What a version leaves out, as all older ones do, has its default in the code.
alter table pattern.version add column settings jsonb not null default '{}';
-- The name that the key or member had when it published.
alter table pattern.version add column author text;
-- {successor, message, at} of a pattern that should not be used any more.
alter table pattern.pattern add column deprecated jsonb;

-- Who pointed which label where, and when. Only ever added to.
create table pattern.label_move (
  workspace uuid not null,
  id uuid not null,
  pattern uuid not null,
  label text collate "C" not null,
  -- Null: it was not there before, or it is gone now.
  before int,
  after int,
  moved_at timestamptz not null,
  moved_by uuid,
  author text,
  primary key (workspace, id),
  foreign key (workspace, pattern) references pattern.pattern (workspace, id)
);
create index label_move_by_pattern on pattern.label_move (workspace, pattern, id);

alter table pattern.label_move enable row level security;
alter table pattern.label_move force row level security;
create policy own_rows on pattern.label_move
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);

grant select, insert on pattern.label_move to damask_pattern;
grant update (deprecated) on pattern.pattern to damask_pattern;
grant select (deprecated) on pattern.pattern to damask_platform;
grant select (settings) on pattern.version to damask_platform;
