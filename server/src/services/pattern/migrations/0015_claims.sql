-- The call that a run of one step begins with, as far as it is known when it is accepted. Who claims the run first notes it in
-- `calling` in the same commit, and need not commit it again before it goes out.
alter table pattern.task add column first_call jsonb;

-- Takes ready work in hand, fairly between workspaces, within all limits. Claims of all processes come one after the other, so
-- that limits hold and no two of them choose the same work: what is chosen from must be read once the lock is there, which one
-- statement for all of it cannot do. A function costs one round trip in place of three.
-- ready: the workspaces, lanes and models that have ready work and room; each step of the recursion is one look into the index.
-- candidates: of each, as many as are its share. What is over a limit falls out from the narrowest limit to the widest.
-- chosen: requests of 8 MiB together; it may be more by the last of them.
-- free: owner instead of state, so that no index that is partial by state is taken for one of ids while the list is short.
-- in_turn: the first of each workspace, then the second of each, and so on, beginning with who was served longest ago.
create function pattern.claim_tasks(by_owner uuid, most int, most_bulk int, workspace_limit int)
  returns table (workspace uuid, id uuid, lane text, token text, deliveries int, calling jsonb, stepped boolean,
    deadline timestamptz, claimed_at timestamptz, blocked int)
  language plpgsql set search_path = pg_catalog as $$
#variable_conflict use_column
declare
  moment timestamptz;
begin
  perform pg_advisory_xact_lock(hashtextextended('damask claim', 0));
  moment := clock_timestamp();
  return query with recursive lists as (
      (select workspace, lane, provider, model from pattern.task where state <> 'running'
        order by workspace, lane, provider, model limit 1)
      union all
      select n.* from lists as l cross join lateral (
        select t.workspace, t.lane, t.provider, t.model from pattern.task as t
         where t.state <> 'running' and (t.workspace, t.lane, t.provider, t.model) > (l.workspace, l.lane, l.provider, l.model)
         order by t.workspace, t.lane, t.provider, t.model limit 1) as n),
    running as materialized (
      select workspace, provider, model, count(*)::int as number from pattern.task where state = 'running'
       group by workspace, provider, model),
    ready as materialized (
      select l.*, q.served,
          coalesce(q.concurrency, workspace_limit) - coalesce((select sum(number) from running as r where r.workspace = l.workspace), 0)
            as workspace_room,
          coalesce((p.limits->>'concurrency')::int - coalesce((select sum(number) from running as r
            where r.workspace = l.workspace and r.provider = l.provider), 0), most) as provider_room,
          coalesce((select (offer->>'concurrency')::int from jsonb_array_elements(p.models) as offer
              where p.name || '/' || (offer->>'id') = l.model limit 1)
            - coalesce((select sum(number) from running as r
                where r.workspace = l.workspace and r.provider = l.provider and r.model = l.model), 0), most) as model_room
        from lists as l
        left join pattern.task_turn as q on q.workspace = l.workspace
        left join pattern.provider as p on p.workspace = l.workspace and p.name = l.provider
       where (l.lane <> 'bulk' or most_bulk > 0) and exists (select from pattern.task as t
          where t.workspace = l.workspace and t.lane = l.lane and t.provider = l.provider and t.model = l.model
            and t.state <> 'running' and t.ready_at <= moment)),
    open as (select * from ready where workspace_room > 0 and provider_room > 0 and model_room > 0),
    share as materialized (select ceil(most::numeric / greatest(1, count(distinct workspace)))::int as each from open),
    candidates as (
      select o.*, t.id, t.priority, t.ready_at, t.bytes, s.each from share as s cross join open as o cross join lateral (
        select id, priority, ready_at, octet_length(request) as bytes from pattern.task as t
         where t.workspace = o.workspace and t.lane = o.lane and t.provider = o.provider and t.model = o.model
           and t.state <> 'running' and t.ready_at <= moment
         order by t.priority desc, t.ready_at, t.id
         limit least(s.each, o.workspace_room, o.provider_room, o.model_room)) as t),
    in_model as (select *, row_number() over (partition by workspace, provider, model order by lane desc, priority desc, ready_at, id) as of_model
      from candidates),
    in_provider as (select *, row_number() over (partition by workspace, provider order by lane desc, priority desc, ready_at, id) as of_provider
      from in_model where of_model <= model_room),
    in_workspace as (select *, row_number() over (partition by workspace order by lane desc, priority desc, ready_at, id) as of_workspace
      from in_provider where of_provider <= provider_room),
    in_turn as (select *, row_number() over (order by of_workspace, served nulls first, workspace) as turn
      from in_workspace where of_workspace <= least(workspace_room, each)),
    in_lane as (select *, row_number() over (partition by lane order by turn) as of_lane,
        sum(bytes) over (order by turn) - bytes as before from in_turn),
    chosen as materialized (select workspace, id, turn from in_lane
       where (lane <> 'bulk' or of_lane <= most_bulk) and before < 8388608
      order by turn limit most),
    free as (select t.workspace, t.id, c.turn from chosen as c
        join pattern.task as t on t.workspace = c.workspace and t.id = c.id
       where t.owner is null for update of t skip locked),
    turns as (insert into pattern.task_turn as q (workspace, served)
      select workspace, max(turn) + (select coalesce(max(served), 0) from pattern.task_turn) from chosen group by workspace
      on conflict (workspace) do update set served = excluded.served),
    taken as (update pattern.task as t set state = 'running', owner = by_owner, token = t.token + 1, why = null,
          calling = case when t.token = 0 and t.first_call is not null then jsonb_build_array(t.first_call) else t.calling end
        from free where t.workspace = free.workspace and t.id = free.id
      returning t.workspace, t.id, t.lane, t.token::text, t.deliveries, t.calling, t.stepped, t.deadline, free.turn)
    select t.workspace, t.id, t.lane, t.token, t.deliveries, t.calling, t.stepped, t.deadline, moment, n.blocked from
      (select count(*)::int as blocked from ready where least(workspace_room, provider_room, model_room) <= 0) as n
      left join taken as t on true order by turn;
end $$;
revoke execute on function pattern.claim_tasks(uuid, int, int, int) from public;
grant execute on function pattern.claim_tasks(uuid, int, int, int) to damask_worker;
