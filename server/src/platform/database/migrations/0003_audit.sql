-- Of tables that only grow. Triggers also hold for the tables' owner; who may drop them is found out by the chain.
create function platform.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'Rows of % are never changed or taken away', tg_table_schema || '.' || tg_table_name
    using errcode = 'insufficient_privilege';
end
$$;

-- How far each place outside has taken what it is sent, and which process sends to it now.
create table platform.stream (
  name text primary key,
  position bigint not null,
  holder uuid,
  held_until timestamptz
);
grant select, insert, update on platform.stream to damask_platform;
