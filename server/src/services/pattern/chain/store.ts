import type { PatternVersion } from '@damask/contracts/pattern.ts';
import type { Transaction } from '#platform/database/database.ts';
import type { StoredSettings } from '../library/stored-settings.ts';
import type { VersionRule } from './resolve-chain.ts';

export interface StepVersionRow extends Pick<PatternVersion, 'variables' | 'disabled_capabilities'> {
  /** Of the pattern. */
  readonly id: string;
  readonly latest: number;
  /** Null, as all that follows: there is no such version or label. */
  readonly version: number | null;
  readonly digest: string;
  readonly settings: StoredSettings;
}

/** The version of a living pattern that a step means. Undefined: there is no such pattern. */
export async function findStepVersion(
  transaction: Transaction,
  name: string,
  { version, label }: VersionRule,
): Promise<StepVersionRow | undefined> {
  const [row] = await transaction.query<StepVersionRow>(
    `select p.id, p.latest, v.number as version, v.digest, v.variables, v.disabled_capabilities, v.settings - '{owner,examples,tools}'::text[] as settings
       from pattern.pattern as p
       left join pattern.label as l on l.workspace = p.workspace and l.pattern = p.id and l.name = $3
       left join pattern.version as v on v.workspace = p.workspace and v.pattern = p.id
         and v.number = case when $2::int is not null then $2 when $3::text is not null then l.number else p.latest end
      where p.deleted_at is null and p.name = $1`,
    [name, version, label],
  );
  return row;
}
