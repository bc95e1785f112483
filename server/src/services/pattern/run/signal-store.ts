import type { Database, Transaction } from '#platform/database/database.ts';

export type SignalKind = 'cancel' | 'publish' | 'decided';

export interface Signal {
  readonly workspace: string;
  readonly run: string;
  readonly kind: SignalKind;
}

/** Keeps what a process is to be told, in a transaction of the run's workspace. */
export async function keepSignal(
  transaction: Transaction,
  signal: Signal & { readonly process: string },
): Promise<void> {
  await transaction.query(
    `insert into pattern.run_signal (workspace, run, kind, process) values ($1, $2, $3, $4)
     on conflict (workspace, run, kind) do update set asked_at = now(), process = excluded.process`,
    [signal.workspace, signal.run, signal.kind, signal.process],
  );
}

/** Whether a queued run was to be stopped while another process had it in hand. */
export async function isCancelAsked(database: Database, workspace: string, run: string): Promise<boolean> {
  const rows = await database.transaction({ role: 'worker', workspace: null }, (transaction) =>
    transaction.query(`select from pattern.run_signal where workspace = $1 and run = $2 and kind = 'cancel'`, [
      workspace,
      run,
    ]),
  );
  return rows.length > 0;
}

/** What this process is told about runs of all workspaces; forgets what is older than a day. */
export function readSignals(database: Database, process: string): Promise<Signal[]> {
  return database.transaction({ role: 'worker', workspace: null }, async (transaction) => {
    await transaction.query(`delete from pattern.run_signal where asked_at < now() - interval '1 day'`);
    return transaction.query<Signal>(
      `select s.workspace, s.run, s.kind from pattern.run_signal as s
         left join pattern.task as t on t.workspace = s.workspace and t.id = s.run
        where (s.process = $1 or t.owner = $1) and (s.kind = 'cancel' or s.asked_at > now() - interval '15 seconds')
        order by s.asked_at desc limit 1000`,
      [process],
    );
  });
}
