import type { Database } from '#platform/database/database.ts';

/** Calls and tokens. */
export interface Taken {
  readonly calls: number;
  readonly tokens: number;
}

export interface MinuteRequest {
  readonly workspace: string;
  readonly provider: string;
  readonly limits: { readonly calls: number | null; readonly tokens: number | null };
  /** What must be had, or nothing is taken; null: nothing is asked for. */
  readonly least: Taken | null;
  /** What is taken where there is room. */
  readonly wanted: Taken;
  /** What earlier takes turned out to be too little or too much, by the second of the take. */
  readonly corrections: readonly (Taken & { readonly second: number })[];
}

export interface MinuteAnswer {
  readonly taken: Taken;
  /** Of the take, by the store's clock: corrections name it. */
  readonly second: number;
  /** Where nothing was taken: milliseconds until there may be room. */
  readonly waitMs: number;
}

/** What all processes together ask of a provider in a minute. PostgreSQL keeps it; another store may. */
export interface MinuteStore {
  take(request: MinuteRequest): Promise<MinuteAnswer>;
}

/** Seconds for which what was taken may be used, and for which it counts: any use is seen by a whole minute. */
export const usableFor = 2;
const countsFor = 61 + usableFor;

interface TakeRow {
  readonly second: number;
  readonly calls: number;
  readonly tokens: number;
}

export function createMinuteStore(database: Database): MinuteStore {
  return {
    take: ({ workspace, provider, limits, least, wanted, corrections }) =>
      database.transaction({ role: 'pattern', workspace }, async (transaction) => {
        // The rows of a provider are few and change all the time: who takes holds a lock of its own.
        const [clock] = await transaction.query<{ now: number }>(
          `select floor(extract(epoch from clock_timestamp()))::float8 as now
             from (select pg_advisory_xact_lock(hashtextextended('damask minute ' || $1 || '/' || $2, 0))) as locked`,
          [workspace, provider],
        );
        const now = clock?.now ?? 0;
        const change = (rows: readonly TakeRow[]) =>
          transaction.query(
            `insert into pattern.provider_take as t (workspace, provider, second, calls, tokens)
             select $1, $2, second, calls, tokens
               from json_to_recordset($3) as g(second bigint, calls int, tokens bigint) where second > $4
             on conflict (workspace, provider, second) do update
               set calls = t.calls + excluded.calls, tokens = t.tokens + excluded.tokens`,
            [workspace, provider, JSON.stringify(rows), now - countsFor],
          );
        if (corrections.length > 0) await change(corrections);
        const rows = await transaction.query<{ second: string; calls: number; tokens: string }>(
          `with old as (delete from pattern.provider_take where workspace = $1 and provider = $2 and second <= $3)
           select second, calls, tokens from pattern.provider_take
            where workspace = $1 and provider = $2 and second > $3 order by second`,
          [workspace, provider, now - countsFor],
        );
        const known = rows.map(({ second, calls, tokens }) => ({
          second: Number(second),
          calls,
          tokens: Number(tokens),
        }));
        if (least === null) return { taken: { calls: 0, tokens: 0 }, second: now, waitMs: 0 };
        const taken = shareOf(known, { limits, least, wanted });
        if (taken.calls === 0) return { taken, second: now, waitMs: waitFor(known, { limits, least }, now) };
        await change([{ second: now, ...taken }]);
        return { taken, second: now, waitMs: 0 };
      }),
  };
}

type Asked = Pick<MinuteRequest, 'limits' | 'wanted'> & { readonly least: Taken };

function roomOf(rows: readonly TakeRow[], { limits }: Pick<Asked, 'limits'>): Taken {
  let calls = limits.calls ?? Number.POSITIVE_INFINITY;
  let tokens = limits.tokens ?? Number.POSITIVE_INFINITY;
  for (const row of rows) {
    calls -= row.calls;
    tokens -= row.tokens;
  }
  return { calls, tokens };
}

/** One call that is larger than the limit of a minute goes when nothing else does: it would wait for ever. */
function fits(room: Taken, { limits, least }: Omit<Asked, 'wanted'>): boolean {
  const tokens = limits.tokens === null ? least.tokens : Math.min(least.tokens, limits.tokens);
  return room.calls >= least.calls && room.tokens >= tokens;
}

function shareOf(rows: readonly TakeRow[], asked: Asked): Taken {
  const room = roomOf(rows, asked);
  if (!fits(room, asked)) return { calls: 0, tokens: 0 };
  const { least, wanted } = asked;
  return {
    calls: Math.max(least.calls, Math.min(wanted.calls, room.calls)),
    tokens: Math.max(least.tokens, Math.min(wanted.tokens, room.tokens)),
  };
}

/** Milliseconds until so much of what was taken counts no more that it would fit. */
function waitFor(rows: readonly TakeRow[], asked: Omit<Asked, 'wanted'>, now: number): number {
  for (let gone = 1; gone <= rows.length; gone++) {
    if (!fits(roomOf(rows.slice(gone), asked), asked)) continue;
    return Math.max(1, (rows[gone - 1] as TakeRow).second + countsFor - now) * 1_000;
  }
  return 1_000;
}
