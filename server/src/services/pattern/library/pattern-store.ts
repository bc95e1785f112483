import type { Pattern } from '@damask/contracts/pattern.ts';
import type { Deprecation } from '@damask/contracts/pattern-settings.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { requireTeam } from './require-team.ts';
import { writeRows } from './write-rows.ts';

/** A pattern that is there, as an import of the same name needs to know it. Digests are `files_digest`. */
export interface ExistingPattern {
  /** Of the newest version. */
  readonly digest: string;
  /** What last came from outside: of a starter or an import. Null for a pattern that was only ever written here. */
  readonly upstream: { readonly digest: string; readonly kind: 'starter' | 'import' } | null;
}

type SourceKind = Pattern['source']['kind'];

interface PatternRow extends Omit<Pattern, 'source' | 'created_at' | 'updated_at' | 'deleted_at'> {
  readonly source_kind: SourceKind;
  readonly source_origin: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly deleted_at: Date | null;
}

/** A pattern as it enters the database, in the names of its columns. Times are RFC 3339. */
export interface NewPattern {
  readonly workspace: string;
  readonly id: string;
  readonly name: string;
  readonly latest: number;
  readonly source_kind: SourceKind;
  readonly source_origin: string | null;
  readonly upstream_kind: 'starter' | 'import' | null;
  readonly upstream_digest: string | null;
  readonly created_at: string;
}

/** A new number for the newest version. Without a `source_kind` the pattern keeps following what it followed. */
export interface Advance {
  readonly id: string;
  readonly latest: number;
  readonly updated_at: string;
  readonly source_kind?: 'starter' | 'import';
  readonly source_origin?: string | null;
  readonly upstream_digest?: string;
}

const selectPattern = `
  select p.id, p.name, v.title, v.description, v.tags, p.latest as version, v.digest, v.variables, v.disabled_capabilities,
    coalesce((select json_object_agg(l.name, l.number) from pattern.label as l
      where l.workspace = p.workspace and l.pattern = p.id), '{}') as labels,
    p.deprecated, p.team, p.source_kind, p.source_origin, p.created_at, p.updated_at, p.deleted_at
  from pattern.pattern as p
  join pattern.version as v on v.workspace = p.workspace and v.pattern = p.id and v.number = p.latest`;

/** Until the transaction ends no other one gives a name to a pattern of this workspace. */
export async function lockNames(transaction: Transaction): Promise<void> {
  await transaction.query(
    `select pg_advisory_xact_lock(hashtextextended('damask names ' || current_setting('damask.workspace'), 0))`,
  );
}

/** A pattern that is not deleted. */
export async function findPattern(transaction: Transaction, name: string): Promise<Pattern | undefined> {
  const [row] = await transaction.query<PatternRow>(`${selectPattern} where p.deleted_at is null and p.name = $1`, [
    name,
  ]);
  return row && toPattern(row);
}

/** A pattern that is known to be there, deleted or not. */
export async function readPatternById(transaction: Transaction, id: string): Promise<Pattern> {
  const [row] = await transaction.query<PatternRow>(`${selectPattern} where p.id = $1`, [id]);
  if (!row) throw new Error(`The pattern ${id} has no newest version`);
  return toPattern(row);
}

/** Null: nobody owns it. */
export async function setTeam(transaction: Transaction, id: string, team: string | null): Promise<void> {
  await transaction.query('update pattern.pattern set team = $2 where id = $1', [id, team]);
}

export interface PatternKey {
  readonly id: string;
  readonly latest: number;
  readonly team: string | null;
}

/** The living pattern of a name, locked: what is read after this is the newest state of it. Errors: `forbidden` where another team owns it. */
export async function lockPattern(
  transaction: Transaction,
  name: string,
  context: CallContext,
): Promise<PatternKey | undefined> {
  const [row] = await transaction.query<PatternKey>(
    'select id, latest, team from pattern.pattern where deleted_at is null and name = $1 for update',
    [name],
  );
  if (row) requireTeam(context, name, row.team);
  return row;
}

/** The pattern of a name that was deleted last, locked. */
export async function lockDeleted(
  transaction: Transaction,
  name: string,
  context: CallContext,
): Promise<PatternKey | undefined> {
  const [row] = await transaction.query<PatternKey>(
    `select id, latest, team from pattern.pattern where deleted_at is not null and name = $1
      order by deleted_at desc, id desc limit 1 for update`,
    [name],
  );
  if (row) requireTeam(context, name, row.team);
  return row;
}

/** What an import needs to know of the living patterns of these names; locked. */
export async function lockPatterns(
  transaction: Transaction,
  names: readonly string[],
  context: CallContext,
): Promise<Map<string, PatternKey & ExistingPattern>> {
  // Joined in a second statement: a row that another one was just changing would be joined with its old version.
  await transaction.query(
    'select id from pattern.pattern where deleted_at is null and name = any($1) order by id for update',
    [names],
  );
  const rows = await transaction.query<PatternKey & { name: string; digest: string } & UpstreamColumns>(
    `select p.id, p.latest, p.team, p.name, v.files_digest as digest, p.upstream_kind, p.upstream_digest
       from pattern.pattern as p
       join pattern.version as v on v.workspace = p.workspace and v.pattern = p.id and v.number = p.latest
      where p.deleted_at is null and p.name = any($1)`,
    [names],
  );
  for (const { name, team } of rows) requireTeam(context, name, team);
  return new Map(
    rows.map(({ id, latest, team, name, digest, ...row }) => [
      name,
      { id, latest, team, digest, upstream: toUpstream(row) },
    ]),
  );
}

export interface UpstreamColumns {
  readonly upstream_kind: 'starter' | 'import' | null;
  readonly upstream_digest: string | null;
}

export function toUpstream({ upstream_kind, upstream_digest }: UpstreamColumns): ExistingPattern['upstream'] {
  return upstream_kind && upstream_digest ? { kind: upstream_kind, digest: upstream_digest } : null;
}

export function insertPatterns(transaction: Transaction, patterns: Iterable<NewPattern>): Promise<void> {
  return writeRows(
    transaction,
    `insert into pattern.pattern (workspace, id, name, latest, source_kind, source_origin, upstream_kind, upstream_digest,
        created_at, updated_at)
     select workspace, id, name, latest, source_kind, source_origin, upstream_kind, upstream_digest, created_at, created_at
       from json_to_recordset($1) as given(workspace uuid, id uuid, name text, latest int, source_kind text,
         source_origin text, upstream_kind text, upstream_digest text, created_at timestamptz)`,
    patterns,
  );
}

export function advancePatterns(transaction: Transaction, patterns: Iterable<Advance>): Promise<void> {
  return writeRows(
    transaction,
    `update pattern.pattern as p set latest = given.latest, updated_at = given.updated_at,
        source_kind = coalesce(given.source_kind, p.source_kind),
        source_origin = case when given.source_kind is null then p.source_origin else given.source_origin end,
        upstream_kind = coalesce(given.source_kind, p.upstream_kind),
        upstream_digest = coalesce(given.upstream_digest, p.upstream_digest)
       from json_to_recordset($1) as given(id uuid, latest int, updated_at timestamptz, source_kind text,
         source_origin text, upstream_digest text)
      where p.id = given.id`,
    patterns,
  );
}

/** Remembers what came from outside where the pattern itself stayed as it is. */
export function noteUpstream(
  transaction: Transaction,
  patterns: Iterable<{ readonly id: string; readonly kind: 'starter' | 'import'; readonly digest: string }>,
): Promise<void> {
  return writeRows(
    transaction,
    `update pattern.pattern as p set upstream_kind = given.kind, upstream_digest = given.digest
       from json_to_recordset($1) as given(id uuid, kind text, digest text) where p.id = given.id`,
    patterns,
  );
}

export async function markDeleted(
  transaction: Transaction,
  id: string,
  deletedAt: Date | null,
  at: Date,
): Promise<void> {
  await transaction.query('update pattern.pattern set deleted_at = $2, updated_at = $3 where id = $1', [
    id,
    deletedAt,
    at,
  ]);
}

export async function markDeprecated(
  transaction: Transaction,
  id: string,
  deprecated: Deprecation | null,
  at: Date,
): Promise<void> {
  await transaction.query('update pattern.pattern set deprecated = $2, updated_at = $3 where id = $1', [
    id,
    deprecated === null ? null : JSON.stringify(deprecated),
    at,
  ]);
}

export interface PatternFilter {
  readonly deleted: boolean;
  readonly search: string | undefined;
  readonly tag: string | undefined;
  /** Name and id of the last row of the page before. */
  readonly after: readonly [name: string, id: string] | null;
  /** Only these; null for all. */
  readonly names: readonly string[] | null;
  readonly limit: number;
}

/** By name. `search` is compared as text, capitals aside: no character of it has a meaning of its own. */
export async function listPatterns(transaction: Transaction, filter: PatternFilter): Promise<Pattern[]> {
  const [name = null, id = null] = filter.after ?? [];
  const rows = await transaction.query<PatternRow>(
    `${selectPattern}
      where p.deleted_at is ${filter.deleted ? 'not null' : 'null'}
        and ($1::text is null or (p.name, p.id) > ($1, $2::uuid))
        and ($3::text is null or strpos(lower(p.name), lower($3)) > 0 or strpos(lower(v.title), lower($3)) > 0
          or strpos(lower(v.description), lower($3)) > 0)
        and ($4::text is null or $4 = any(v.tags)) and ($5::text[] is null or p.name = any($5))
      order by p.name, p.id limit $6`,
    [name, id, filter.search, filter.tag, filter.names, filter.limit],
  );
  return rows.map(toPattern);
}

function toPattern({ source_kind, source_origin, ...row }: PatternRow): Pattern {
  return {
    ...row,
    source: source_origin === null ? { kind: source_kind } : { kind: source_kind, origin: source_origin },
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    deleted_at: row.deleted_at?.toISOString() ?? null,
  };
}
