create table pattern.context (
  workspace uuid not null,
  name text collate "C" not null,
  -- Sealed with the workspace's data key: a background text may be private.
  content bytea not null,
  -- Of the text itself, in UTF-8.
  bytes int not null,
  updated_at timestamptz not null,
  primary key (workspace, name)
);

-- One run at a time goes on in a session: the claim. What it appended counts from the moment at which its end is recorded as
-- a success, so a crash in between leaves neither a run without its turns nor turns without their run.
create table pattern.session (
  workspace uuid not null,
  name text collate "C" not null,
  id uuid not null,
  -- Settled turns: those with numbers up to this one.
  turns int not null,
  bytes bigint not null,
  claim uuid,
  -- The process that claimed it, and when the claim ends by itself.
  claimed_by uuid,
  claimed_until timestamptz,
  -- The run whose turns are appended and not settled yet.
  run uuid,
  pending_turns int not null default 0,
  pending_bytes bigint not null default 0,
  created_at timestamptz not null,
  -- Null while there is nothing but the claim of its first run.
  updated_at timestamptz,
  primary key (workspace, name),
  unique (workspace, id),
  check ((claim is null) = (claimed_by is null) and (claim is null) = (claimed_until is null)),
  check (run is null or claim is not null),
  check (run is not null or (pending_turns = 0 and pending_bytes = 0))
);

create table pattern.turn (
  workspace uuid not null,
  session uuid not null,
  number int not null check (number > 0),
  role text not null check (role in ('user', 'assistant', 'system', 'meta')),
  -- Sealed: {content, attachments}.
  content bytea not null,
  bytes int not null,
  -- Null: it was put.
  run uuid,
  created_at timestamptz not null,
  primary key (workspace, session, number),
  foreign key (workspace, session) references pattern.session (workspace, id) on delete cascade
);

-- Sealed bytes cannot be compressed; without this the database would try.
alter table pattern.context alter column content set storage external;
alter table pattern.turn alter column content set storage external;

alter table pattern.context enable row level security;
alter table pattern.context force row level security;
alter table pattern.session enable row level security;
alter table pattern.session force row level security;
alter table pattern.turn enable row level security;
alter table pattern.turn force row level security;

create policy own_rows on pattern.context
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.session
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);
create policy own_rows on pattern.turn
  using (workspace = nullif(current_setting('damask.workspace', true), '')::uuid);

grant select, insert, update (content, bytes, updated_at), delete on pattern.context to damask_pattern;
grant select, insert, delete on pattern.session to damask_pattern;
grant update (turns, bytes, claim, claimed_by, claimed_until, run, pending_turns, pending_bytes, updated_at)
  on pattern.session to damask_pattern;
grant select, insert, delete on pattern.turn to damask_pattern;

-- What a run took part in, by name. Partitions take it over.
alter table pattern.accepted add column context text, add column session text, add column language text;
alter table pattern.finished add column context text, add column session text, add column language text;
