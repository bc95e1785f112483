import { quoteText } from '../library/quote-text.ts';
import { refusedNames } from '../template/template.ts';
import { faultOfValue, type VariableRule } from '../template/variables.ts';
import type { Places } from './read-by-schema.ts';
import type { YamlSource } from './read-yaml.ts';

export const variablesAllowed = 100;

type Draft = { -readonly [Key in keyof VariableRule]: VariableRule[Key] };
export type WrittenVariables = Readonly<Record<string, Partial<Omit<VariableRule, 'name' | 'declared'>> | null>>;

/** The `variables` of pattern.yaml as rules. Adds what does not go together to the problems. */
export function readVariables(source: YamlSource, written: WrittenVariables, places: Places): VariableRule[] {
  const rules: VariableRule[] = [];
  for (const [name, fields] of Object.entries(written)) {
    const keyNode = places.get(`variables/${name}#key`);
    if (refusedNames.has(name)) {
      source.refuse(keyNode, `${quoteText(name, 60)} cannot name a variable: the word is reserved; choose another`);
      continue;
    }
    const rule: Draft = { type: 'string', ...fields, name, required: true, declared: true };
    rule.required = fields?.required ?? rule.default === undefined;
    const fault = faultOfRule(rule, fields?.required);
    if (fault === undefined) rules.push(rule);
    else source.refuse(keyNode, `${name}: ${fault}`);
  }
  return rules;
}

function faultOfRule(rule: VariableRule, required: boolean | undefined): string | undefined {
  const bounded = rule.minimum !== undefined || rule.maximum !== undefined;
  if ((rule.type === 'enum') !== (rule.values !== undefined)) return 'type enum and values go together';
  if (new Set(rule.values).size !== (rule.values?.length ?? 0)) return 'a value is there twice';
  if (rule.max_length !== undefined && rule.type !== 'string') return 'max_length is for type string';
  if (bounded && rule.type !== 'integer' && rule.type !== 'number') return 'minimum and maximum are for numbers';
  if ((rule.minimum ?? Number.NEGATIVE_INFINITY) > (rule.maximum ?? Number.POSITIVE_INFINITY))
    return 'minimum is above maximum';
  if (rule.default === undefined) return undefined;
  if (required) return 'a variable with a default is never missing; remove required or default';
  const fault = faultOfValue(rule, rule.default);
  return fault === undefined ? undefined : `the default ${fault}`;
}
