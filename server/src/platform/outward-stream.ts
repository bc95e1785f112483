import type { Transaction } from './database/database.ts';

/**
 * Takes the stream for this process, or keeps it, for `holdMs`. Answers how far it was sent, undefined while another
 * process has it. A new stream begins with what comes after `newest`.
 */
export async function holdStream(
  transaction: Transaction,
  stream: { readonly name: string; readonly holder: string; readonly now: number; readonly holdMs: number },
  newest: () => Promise<number>,
): Promise<number | undefined> {
  const { name, holder, now, holdMs } = stream;
  const values = [name, holder, new Date(now), new Date(now + holdMs)];
  const take = () =>
    transaction.query<{ position: string }>(
      `update platform.stream set holder = $2, held_until = $4
        where name = $1 and (holder is null or holder = $2 or held_until < $3) returning position`,
      values,
    );
  const [held] = await take();
  if (held) return Number(held.position);
  await transaction.query(
    'insert into platform.stream (name, position) values ($1, $2) on conflict (name) do nothing',
    [name, await newest()],
  );
  const [made] = await take();
  return made && Number(made.position);
}

/** False when another process has the stream meanwhile. */
export async function advanceStream(
  transaction: Transaction,
  stream: { readonly name: string; readonly holder: string; readonly position: number },
): Promise<boolean> {
  const rows = await transaction.query(
    'update platform.stream set position = $3 where name = $1 and holder = $2 and position < $3 returning name',
    [stream.name, stream.holder, stream.position],
  );
  return rows.length > 0;
}
