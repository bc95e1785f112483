import { type DataClass, dataClasses } from '@damask/contracts/pattern-settings.ts';
import type { VariableRule } from '../template/variables.ts';

const rankOf = (one: DataClass) => dataClasses.indexOf(one);

/** The more careful of two classes. */
export function higherClass(one: DataClass, other: DataClass | undefined): DataClass {
  return other !== undefined && rankOf(other) > rankOf(one) ? other : one;
}

/** A variable whose values are of a class of their own. */
export interface ClassedVariable {
  readonly name: string;
  readonly data_class: DataClass;
}

/** Null where no variable has a class above its pattern's: then no run has to look. */
export function listClassed(own: DataClass, rules: readonly VariableRule[]): readonly ClassedVariable[] | null {
  const classed = rules.flatMap(({ name, data_class }) =>
    data_class !== undefined && rankOf(data_class) > rankOf(own) ? { name, data_class } : [],
  );
  return classed.length === 0 ? null : classed;
}

/** The class of a run that is given these variables. */
export function classWith(
  own: DataClass,
  classed: readonly ClassedVariable[] | null,
  given: Readonly<Record<string, string>> | undefined,
): DataClass {
  if (classed === null || given === undefined) return own;
  return classed.reduce(
    (highest, { name, data_class }) => (Object.hasOwn(given, name) ? higherClass(highest, data_class) : highest),
    own,
  );
}
