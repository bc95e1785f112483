import { everyIncluded, type IncludedText } from '../template/composition.ts';
import type { CompiledTemplate } from '../template/template.ts';
import { faultOfValue, foundVariable, type VariableRule } from '../template/variables.ts';
import { variablesAllowed } from '../yaml/yaml-variables.ts';
import { quoteText } from './quote-text.ts';

type Tell = (path: string, line: number | null, detail: string) => void;

/**
 * The variables of a version: what it declares, then what its text uses, then what the included texts use. A rule of its own wins
 * over one that comes with an included text.
 */
export function settleVariables(
  declared: readonly VariableRule[],
  template: CompiledTemplate,
  included: readonly IncludedText[],
  tell: Tell,
): readonly VariableRule[] {
  const rules = new Map(declared.map((rule) => [rule.name, rule]));
  const brought = new Map<string, { readonly rule: VariableRule; readonly by: string }>();
  for (const { text } of everyIncluded(included)) {
    for (const rule of text.variables) {
      const other = brought.get(rule.name);
      if (rules.has(rule.name) || (other && sameRule(other.rule, rule))) continue;
      if (!other?.rule.declared) brought.set(rule.name, { rule, by: text.pattern });
      else if (rule.declared) {
        const detail = `${other.by} and ${text.pattern} describe the variable ${rule.name} differently; declare it under variables`;
        tell('pattern.yaml', null, detail);
      }
    }
  }
  for (const name of template.variables) {
    if (!rules.has(name)) rules.set(name, brought.get(name)?.rule ?? foundVariable(name));
  }
  for (const [name, { rule }] of brought) if (!rules.has(name)) rules.set(name, rule);
  if (rules.size > variablesAllowed) tell('system.md', null, `more than ${variablesAllowed} variables are used`);
  checkConditions(declared, template, tell);
  return [...rules.values()];
}

function checkConditions(declared: readonly VariableRule[], { conditions }: CompiledTemplate, tell: Tell): void {
  for (const { name, equals, token, line } of conditions) {
    const rule = declared.find((each) => each.name === name);
    if (!rule) {
      const hint = `declare ${name} under variables; with required: false it may be left out`;
      tell('system.md', line, `${quoteText(token)} asks for a variable that is not declared: ${hint}`);
      continue;
    }
    const fault = equals === null || equals === '' ? undefined : faultOfValue(rule, equals);
    if (fault !== undefined) tell('system.md', line, `${quoteText(token)} is never true: ${name} ${fault}`);
  }
}

function sameRule(a: VariableRule, b: VariableRule): boolean {
  const fields = (rule: VariableRule) => JSON.stringify(Object.entries(rule).toSorted(([x], [y]) => (x < y ? -1 : 1)));
  return fields(a) === fields(b);
}
