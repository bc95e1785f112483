import type { Condition } from './parse-filter.ts';
import { invalid } from './scim-error.ts';

/** What an attribute is in a query. */
export interface FilterField {
  readonly sql: string;
  /** Case makes a difference. */
  readonly exact?: true;
  readonly boolean?: true;
  /** A list of which one element has to fit; it is `one` in `sql`. */
  readonly each?: string;
  /** Where the value is an account that has to be in this group. */
  readonly member?: string;
}

/** A condition of SQL with its values. What callers write stands in the values only. Errors: `invalid_request`. */
export function filterSql(
  conditions: readonly Condition[],
  fields: Readonly<Record<string, FilterField>>,
): { where: string; values: unknown[] } {
  const values: unknown[] = [];
  const known = (attribute: string) => {
    const field = Object.hasOwn(fields, attribute) ? fields[attribute] : undefined;
    if (!field) throw invalid('/filter', `Nothing is found by ${attribute}. Use ${Object.keys(fields).join(', ')}.`);
    return field;
  };
  const parts = conditions.map((condition) => {
    const field = known(condition.attribute);
    if (!field.each && condition.within.length > 0) throw invalid('/filter', 'Brackets belong to emails only.');
    const [list] = condition.attribute.split('.');
    const inside = condition.within.map((one) => compare(known(`${list}.${one.attribute}`), one, values));
    const own = compare(field, condition, values);
    if (!field.each) return own;
    return `exists (select from jsonb_array_elements(${field.each}) as one where ${[...inside, own].join(' and ')})`;
  });
  return { where: parts.join(' and ') || 'true', values };
}

function compare(
  { sql, exact, boolean, member }: FilterField,
  { operator, value }: Condition,
  values: unknown[],
): string {
  if (boolean) {
    const flag = typeof value === 'boolean' ? value : ({ true: true, false: false } as const)[value.toLowerCase()];
    if (operator !== 'eq' || flag === undefined)
      throw invalid('/filter', 'This attribute is compared as eq true or eq false.');
    return `${sql} = $${values.push(flag)}`;
  }
  if (typeof value !== 'string') throw invalid('/filter', 'This attribute is compared with a text in quotes.');
  if (member) {
    if (operator !== 'eq') throw invalid('/filter', 'Members are compared as eq.');
    return `exists (select from identity.scim_group_member as gm where gm.scim_group = ${member} and gm.account::text = $${values.push(value)})`;
  }
  const wanted = `$${values.push(value)}::text`;
  const [left, right] = exact ? [sql, wanted] : [`lower(${sql})`, `lower(${wanted})`];
  if (operator === 'eq') return `${left} = ${right}`;
  return operator === 'sw' ? `starts_with(${left}, ${right})` : `position(${right} in ${left}) > 0`;
}
