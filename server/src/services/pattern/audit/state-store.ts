import type { Transaction } from '#platform/database/database.ts';
import type { SubjectState } from '#platform/trail.ts';

/** What of each kind decides what runs do, without texts and sealed values: these have other bytes after each sealing. */
const kinds: Readonly<Record<string, string>> = {
  provider: `select 'provider/' || name as subject, jsonb_build_object('base_url', base_url, 'protocol', protocol,
      'api_version', api_version, 'has_key', api_key is not null, 'models', models, 'limits', limits,
      'fallbacks', fallbacks) as state
    from pattern.provider where $1::text is null or name = $1`,
  budget: `select 'budget/' || name as subject, jsonb_build_object('covers', covers, 'covered', covered, 'period', period,
      'limit_micros', limit_micros, 'limit_tokens', limit_tokens) as state
    from pattern.budget where $1::text is null or name = $1`,
  // Whom it holds is an HMAC.
  hold: `select 'hold/' || name as subject, jsonb_build_object('subject', subject, 'pattern', pattern,
      'since', extract(epoch from since), 'until', extract(epoch from until)) as state
    from pattern.legal_hold where $1::text is null or name = $1`,
  retention: `select 'retention' as subject, jsonb_build_object('least_class', least_class, 'rules', rules) as state
    from pattern.retention where $1::text is null or $1 = ''`,
  redaction: `select 'redaction' as subject, jsonb_build_object('rules', rules) as state
    from pattern.redaction where $1::text is null or $1 = ''`,
};

const others: Readonly<Record<string, string>> = {
  timer: `select jsonb_build_object('cron', cron, 'time_zone', time_zone, 'missed', missed, 'overlap', overlap,
      'paused', paused, 'starts_at', extract(epoch from starts_at), 'ends_at', extract(epoch from ends_at), 'pattern', pattern, 'actor', actor) as state
    from pattern.timer where name = $1`,
  pattern: `select jsonb_build_object('id', p.id, 'latest', p.latest, 'digest', v.digest, 'team', p.team,
      'deprecated', p.deprecated, 'labels', (select coalesce(jsonb_object_agg(l.name, l.number), '{}') from pattern.label as l
        where l.workspace = p.workspace and l.pattern = p.id)) as state
    from pattern.pattern as p join pattern.version as v
      on v.workspace = p.workspace and v.pattern = p.id and v.number = p.latest
    where p.name = $1 and p.deleted_at is null`,
};

/** What a subject of the audit log is now: null where there is none, undefined for a kind that is not kept so. */
export async function readState(transaction: Transaction, subject: string): Promise<object | null | undefined> {
  const [kind = ''] = subject.split('/', 1);
  const text = kinds[kind] ?? others[kind];
  if (text === undefined) return undefined;
  const [row] = await transaction.query<{ state: object }>(text, [subject.slice(kind.length + 1)]);
  return row?.state ?? null;
}

/** All that there is of the first kinds in the transaction's workspace; patterns also change by imports, which tell of many at once. */
export async function listStates(transaction: Transaction): Promise<SubjectState[]> {
  const lists: SubjectState[][] = [];
  for (const text of Object.values(kinds)) lists.push(await transaction.query<SubjectState>(text, [null]));
  return lists.flat();
}

export const statesOfPattern = { kinds: Object.keys(kinds), read: readState, list: listStates };
