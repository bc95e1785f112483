-- A topic's version moves when the table behind it changes; processes reload what they hold in memory.
create table platform.topic (
  name text primary key,
  version bigint not null
);

-- Who is running. A process whose heartbeat stopped is dead and its work is taken over.
create table platform.process (
  id uuid primary key,
  host text not null,
  pid int not null,
  started_at timestamptz not null default now(),
  heartbeat_at timestamptz not null default now(),
  ended_at timestamptz,
  recovered_at timestamptz
);

-- Data keys, wrapped by the key-encryption key whose id is kek.
create table platform.data_key (
  workspace uuid not null,
  version int not null,
  kek text not null,
  wrapped bytea not null,
  created_at timestamptz not null default now(),
  primary key (workspace, version)
);

-- How far a consumer has read an outbox.
create table platform.cursor (
  consumer text not null,
  source text not null,
  xact bigint not null,
  id uuid not null,
  primary key (consumer, source)
);

grant select, insert, update on platform.topic, platform.process, platform.cursor to damask_platform;
grant select, insert on platform.data_key to damask_platform;
