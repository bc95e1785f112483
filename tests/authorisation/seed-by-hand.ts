/** As superuser. */
type Ask = (text: string, values?: unknown[]) => Promise<unknown>;

/** What processes hold of budgets and of the limits of providers lasts for moments only, and ticks take years: put there by hand. */
export async function seedHeld(sql: Ask, workspace: string, process: string) {
  await sql(
    `with held as (
       insert into pattern.budget_period (workspace, budget, start)
       select workspace, id, current_date from pattern.budget where workspace = $1
       on conflict (workspace, budget, start) do update set told = 0 returning workspace, budget, start
     ), lease as (
       insert into pattern.budget_lease (workspace, budget, start, process, epoch, micros, tokens)
       select workspace, budget, start, $2, $2, 1, 1 from held
     )
     insert into pattern.budget_hold (workspace, id, process, run, queued, micros, tokens, budgets, starts)
     select workspace, budget, $2, budget, true, 1, 1, array[budget], array[start] from held`,
    [workspace, process],
  );
  await sql(
    `insert into pattern.timer_tick (workspace, timer, at, state)
     select workspace, name, date_trunc('year', now()) - days * interval '1 day', 'missed'
       from pattern.timer, generate_series(1, 2) as days where workspace = $1`,
    [workspace],
  );
  await sql(
    "insert into pattern.batch_line (workspace, batch, line, state) select workspace, id, 1, 'open' from pattern.batch where workspace = $1",
    [workspace],
  );
  await sql('insert into pattern.stopped_actor values ($1, $1, now())', [workspace]);
  await sql("insert into pattern.provider_take values ($1, 'lab', 0, 1, 1)", [workspace]);
}

/** What was removed of a workspace, of which nothing is old enough to be removed. Answers an erasure. */
export async function seedRemoved(sql: Ask, workspace: string, mark: string): Promise<string> {
  await sql('insert into pattern.retention (workspace, least_class, rules) values ($1, $2, $3)', [
    workspace,
    'public',
    JSON.stringify([{ of: 'runs', environment: `${mark}_place`, days: 36_500 }]),
  ]);
  await sql('insert into pattern.retention_progress (workspace, rule, through) values ($1, $2, $1)', [
    workspace,
    'none',
  ]);
  await sql('insert into pattern.subject_key (workspace, subject, id, wrapped) values ($1, $2, $1, $3)', [
    workspace,
    'nobody',
    Buffer.alloc(1),
  ]);
  await sql(
    `insert into pattern.removal (workspace, id, day, reason, of, way, data_class, environment, count, oldest, newest)
     select $1, gen_random_uuid(), current_date - days, 'retention', 'runs', 'shredded', 'public', '', 1, now(), now()
       from generate_series(1, 2) as days`,
    [workspace],
  );
  const rows = await sql(
    `insert into pattern.erasure (workspace, id, state, finished_at)
     select $1, gen_random_uuid(), 'done', now() from generate_series(1, 2) returning id`,
    [workspace],
  );
  return (rows as { id: string }[])[0]?.id as string;
}

/** A queued run lasts for moments too, and so does what is written down of it while it is followed: two runs wait for ever. */
export async function seedQueued(sql: Ask, workspace: string) {
  await sql(
    `with run as (select workspace, id from pattern.finished where workspace = $1 order by id limit 2),
      task as (insert into pattern.task (workspace, id, lane, priority, provider, model, ready_at, state, why, stepped, request)
        select workspace, id, 'bulk', 0, '', '', 'infinity', 'waiting', 'approval', true, '\\x00' from run),
      turn as (insert into pattern.task_turn (workspace) values ($1) on conflict do nothing),
      step as (insert into pattern.step (workspace, run, path, state, calls, attempts, usage, sanitised, why, started_at)
        select workspace, id, path, 'waiting', 0, '[]', $2, false, 'approval', now()
          from run, unnest(array['first', 'second']) as path),
      output as (insert into pattern.run_output (workspace, run, token, attempt, start, bytes, piece)
        select workspace, id, 1, 1, 0, 1, '\\x00' from run)
     insert into pattern.run_signal (workspace, run, kind, process) select workspace, id, 'publish', id from run`,
    [workspace, '{"input_tokens":null,"output_tokens":null,"cached_input_tokens":null,"reasoning_tokens":null}'],
  );
}

/** People come by signing in, which no key can do. Two are made, both of them in the team; answers their accounts. */
export async function seedMembers(sql: Ask, workspace: string, mark: string): Promise<string[]> {
  const rows = await sql(
    `with account as (
       insert into identity.account (id, email, name, created_at)
       select gen_random_uuid(), number || $2 || '@example.com', $2 || ' ' || number, now()
         from generate_series(1, 2) as number returning id
     ), member as (
       insert into identity.member (workspace, account, role, source, created_at)
       select $1, id, 'viewer', 'local', now() from account
     )
     insert into identity.team_member (workspace, team, account, created_at)
     select $1, $2 || '_team', id, now() from account returning account`,
    [workspace, mark],
  );
  return (rows as { account: string }[]).map(({ account }) => account);
}

/** A member of a workspace, and of its team where one is named. */
export async function seedMember(sql: Ask, workspace: string, team?: string): Promise<string> {
  const rows = await sql(
    `with account as (
       insert into identity.account (id, name, created_at) values (gen_random_uuid(), 'somebody', now()) returning id
     )
     insert into identity.member (workspace, account, role, source, created_at)
     select $1, id, 'viewer', 'local', now() from account returning account`,
    [workspace],
  );
  const [{ account }] = rows as [{ account: string }];
  if (team !== undefined) {
    await sql('insert into identity.team_member (workspace, team, account, created_at) values ($1, $2, $3, now())', [
      workspace,
      team,
      account,
    ]);
  }
  return account;
}
