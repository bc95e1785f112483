import type { PatternVersion } from '@damask/contracts/pattern.ts';
import type { Deprecation, PatternSettings } from '@damask/contracts/pattern-settings.ts';
import type { Transaction } from '#platform/database/database.ts';
import type { StoredSettings } from './stored-settings.ts';

/** What a run needs of a version, without its text. */
export interface TableVersionRow
  extends Pick<
    PatternVersion,
    'digest' | 'variables' | 'literal_tokens' | 'model' | 'parameters' | 'disabled_capabilities'
  > {
  readonly number: number;
  readonly system_hash: string;
  /** Without what no run needs; what is absent has its default. */
  readonly settings: Omit<StoredSettings, 'owner' | 'examples'>;
}

/** The settings that runs need. */
export type RunSettings = Omit<PatternSettings, 'owner' | 'examples'>;

/** A place in the order of changes. */
interface Place {
  readonly xact: string;
  readonly workspace: string;
}

export interface TablePatternRow extends Place {
  readonly id: string;
  readonly name: string;
  readonly deleted: boolean;
  readonly latest: number;
  readonly labels: Readonly<Record<string, number>>;
  readonly deprecated: Deprecation | null;
  /** The newest version and those that have a label. */
  readonly versions: readonly TableVersionRow[];
}

export interface TableStrategyRow extends Place {
  readonly name: string;
  readonly deleted: boolean;
  readonly prompt: string;
}

const nowhere = '00000000-0000-0000-0000-000000000000';

/** Every row that a later load could still have to see was written by this transaction or a younger one. */
export async function readHorizon(transaction: Transaction): Promise<string> {
  const [row] = await transaction.query<{ horizon: string }>(
    'select pg_snapshot_xmin(pg_current_snapshot())::text as horizon',
  );
  if (!row) throw new Error('The database has no snapshot');
  return row.horizon;
}

export interface ChangesPage<Row> {
  /** The oldest transaction whose changes are wanted. */
  readonly since: string;
  /** The last row of the page before. */
  readonly after: Row | undefined;
  /** Without what is deleted: for the first load. */
  readonly livingOnly: boolean;
  readonly limit: number;
}

/** Patterns of all workspaces in the order of their last change; for the role `platform`. */
export function readPatternChanges(
  transaction: Transaction,
  { since, after, livingOnly, limit }: ChangesPage<TablePatternRow>,
): Promise<TablePatternRow[]> {
  return transaction.query<TablePatternRow>(
    `with p as materialized (
        select xact, workspace, id, name, deleted_at, latest, deprecated from pattern.pattern
         where (xact, workspace, id) > ($1::bigint, $2::uuid, $3::uuid)${livingOnly ? ' and deleted_at is null' : ''}
         order by xact, workspace, id limit $4)
     select p.xact::text, p.workspace, p.id, p.name, p.deleted_at is not null as deleted, p.latest, p.deprecated,
        coalesce((select json_object_agg(l.name, l.number) from pattern.label as l
          where l.workspace = p.workspace and l.pattern = p.id), '{}') as labels,
        (select json_agg(json_build_object('number', v.number, 'digest', v.digest, 'system_hash', v.system_hash,
            'variables', v.variables, 'literal_tokens', v.literal_tokens, 'model', v.model, 'parameters', v.parameters,
            'disabled_capabilities', v.disabled_capabilities, 'settings', v.settings - '{owner,examples}'::text[]))
          from pattern.version as v where v.workspace = p.workspace and v.pattern = p.id
            and v.number in (select p.latest union select l.number from pattern.label as l
              where l.workspace = p.workspace and l.pattern = p.id)) as versions
       from p order by p.xact, p.workspace, p.id`,
    [after?.xact ?? since, after?.workspace ?? nowhere, after?.id ?? nowhere, limit],
  );
}

/** The same for strategies. */
export function readStrategyChanges(
  transaction: Transaction,
  { since, after, livingOnly, limit }: ChangesPage<TableStrategyRow>,
): Promise<TableStrategyRow[]> {
  return transaction.query<TableStrategyRow>(
    `select xact::text, workspace, name, deleted_at is not null as deleted, prompt from pattern.strategy
      where (xact, workspace, name) > ($1::bigint, $2::uuid, $3)${livingOnly ? ' and deleted_at is null' : ''}
      order by xact, workspace, name limit $4`,
    [after?.xact ?? since, after?.workspace ?? nowhere, after?.name ?? '', limit],
  );
}

/** Texts by hash. Each is asked for in a workspace that has it. */
export async function readTexts(
  transaction: Transaction,
  wanted: readonly { readonly workspace: string; readonly hash: string }[],
): Promise<{ hash: string; content: string }[]> {
  return transaction.query<{ hash: string; content: string }>(
    `select f.hash, f.content from unnest($1::uuid[], $2::text[]) as wanted(workspace, hash)
       join pattern.file as f on f.workspace = wanted.workspace and f.hash = wanted.hash`,
    [wanted.map(({ workspace }) => workspace), wanted.map(({ hash }) => hash)],
  );
}

/** One version with its text, in the transaction's workspace. */
export async function findTableVersion(
  transaction: Transaction,
  pattern: string,
  number: number,
): Promise<(TableVersionRow & { readonly text: string }) | undefined> {
  const [row] = await transaction.query<TableVersionRow & { text: string }>(
    `select v.number, v.digest, v.system_hash, v.variables, v.literal_tokens, v.model, v.parameters, v.disabled_capabilities,
        v.settings - '{owner,examples}'::text[] as settings, f.content as text
       from pattern.version as v join pattern.file as f on f.workspace = v.workspace and f.hash = v.system_hash
      where v.pattern = $1 and v.number = $2`,
    [pattern, number],
  );
  return row;
}
