-- Of tables that only grow. Triggers also hold for the tables' owner; who may drop them is found out by the chain.
create function platform.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'Rows of % are never changed or taken away', tg_table_schema || '.' || tg_table_name
    using errcode = 'insufficient_privilege';
end
$$;
