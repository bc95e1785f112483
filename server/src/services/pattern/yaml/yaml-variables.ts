import type { Node } from 'yaml';
import { quoteText } from '../library/quote-text.ts';
import { refusedNames, variableName } from '../template/template.ts';
import { faultOfValue, type VariableRule } from '../template/variables.ts';
import { booleanOf, entriesOf, itemsOf, numberOf, textOf, type YamlSource } from './read-yaml.ts';

const types: readonly VariableRule['type'][] = ['string', 'integer', 'number', 'boolean', 'enum'];
const keys = ['type', 'description', 'required', 'default', 'values', 'max_length', 'minimum', 'maximum'] as const;
export const variablesAllowed = 100;
const valuesAllowed = 100;
const defaultAllowed = 16 * 1024;

type Draft = { -readonly [Key in keyof VariableRule]: VariableRule[Key] };

/** The `variables` of pattern.yaml: a mapping from name to rule; a name alone is a text that is always needed. */
export function readVariables(source: YamlSource, node: Node | null): VariableRule[] {
  const entries = entriesOf(source, node, 'variables') ?? [];
  if (entries.length > variablesAllowed) source.refuse(node, `at most ${variablesAllowed} variables are allowed`);
  const rules: VariableRule[] = [];
  for (const { key, keyNode, value } of entries.slice(0, variablesAllowed)) {
    if (!variableName.test(key) || refusedNames.has(key)) {
      source.refuse(
        keyNode,
        `${quoteText(key, 60)} cannot name a variable: use letters, digits, _ and - (at most 100), and not a reserved word`,
      );
      continue;
    }
    const rule = readVariable(source, key, keyNode, value);
    if (rule) rules.push(rule);
  }
  return rules;
}

function readVariable(source: YamlSource, name: string, keyNode: Node, node: Node | null): VariableRule | undefined {
  const entries = entriesOf(source, node, `the variable ${name}`);
  if (!entries) return undefined;
  const before = source.problems.length;
  const rule: Draft = { name, type: 'string', required: true, declared: true };
  let required: boolean | undefined;
  for (const { key, keyNode: keyAt, value } of entries) {
    switch (key) {
      case 'type': {
        const type = textOf(source, value, 'type', 20);
        const known = types.find((each) => each === type);
        if (known) rule.type = known;
        else if (type !== undefined) source.refuse(value, `type must be one of ${types.join(', ')}`);
        break;
      }
      case 'description': {
        const description = textOf(source, value, 'description', 500, true);
        if (description !== undefined) rule.description = description.trim();
        break;
      }
      case 'required':
        required = booleanOf(source, value, 'required');
        break;
      case 'default': {
        const text = textOf(source, value, 'default', defaultAllowed, true);
        if (text !== undefined) rule.default = text;
        break;
      }
      case 'values': {
        const values = (itemsOf(source, value, 'values') ?? []).map((item) => textOf(source, item, 'a value', 200));
        if (values.length === 0 || values.length > valuesAllowed)
          source.refuse(value, `values must hold 1 to ${valuesAllowed} texts`);
        rule.values = values.filter((each) => each !== undefined);
        break;
      }
      case 'max_length':
      case 'minimum':
      case 'maximum': {
        const number = numberOf(source, value, key);
        if (number !== undefined) rule[key] = number;
        break;
      }
      default:
        source.refuse(keyAt, `${quoteText(key, 60)} is not a key of a variable. Known: ${keys.join(', ')}`);
    }
  }
  rule.required = required ?? rule.default === undefined;
  if (source.problems.length > before) return undefined;
  const fault = faultOfRule(rule, required);
  return fault === undefined ? rule : source.refuse(keyNode, `${name}: ${fault}`);
}

function faultOfRule(rule: VariableRule, required: boolean | undefined): string | undefined {
  const bounded = rule.minimum !== undefined || rule.maximum !== undefined;
  if ((rule.type === 'enum') !== (rule.values !== undefined)) return 'type enum and values go together';
  if (new Set(rule.values).size !== (rule.values?.length ?? 0)) return 'a value is there twice';
  if (
    rule.max_length !== undefined &&
    (rule.type !== 'string' || !Number.isInteger(rule.max_length) || rule.max_length < 1)
  ) {
    return 'max_length is a whole number from 1 on, for type string';
  }
  if (bounded && rule.type !== 'integer' && rule.type !== 'number') return 'minimum and maximum are for numbers';
  if ((rule.minimum ?? Number.NEGATIVE_INFINITY) > (rule.maximum ?? Number.POSITIVE_INFINITY))
    return 'minimum is above maximum';
  if (rule.default === undefined) return undefined;
  if (required) return 'a variable with a default is never missing; remove required or default';
  const fault = faultOfValue(rule, rule.default);
  return fault === undefined ? undefined : `the default ${fault}`;
}
