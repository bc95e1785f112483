-- Which life of the data this is. A restore begins a new one: whatever an older one leased or promised is over.
create table platform.epoch (
  only_row boolean primary key default true check (only_row),
  -- Stays the same in every restored copy.
  installation uuid not null default gen_random_uuid(),
  epoch int not null default 1,
  -- Of the last restore: the backup, the moment of its snapshot, and when somebody said to know what was lost.
  backup uuid,
  snapshot_at timestamptz,
  restored_at timestamptz,
  acknowledged_at timestamptz
);
insert into platform.epoch default values;
grant select on platform.epoch to damask_platform;
