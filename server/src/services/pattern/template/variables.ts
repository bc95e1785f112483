import type { Variable } from '@damask/contracts/pattern.ts';
import { AppError } from '#platform/app-error.ts';

/** A variable with the bounds that pattern.yaml can set. */
export type VariableRule = Variable;

const none: ReadonlyMap<string, string> = new Map();
const wholeNumber = /^-?(?:0|[1-9]\d{0,15})$/;
const decimal = /^-?(?:0|[1-9]\d{0,308})(?:\.\d{1,308})?(?:[eE][+-]?\d{1,3})?$/;

/** A variable that the text uses and nothing declares: any text, always needed. */
export function foundVariable(name: string): VariableRule {
  return { name, type: 'string', required: true, declared: false };
}

/** Why `value` cannot be the variable's value, or undefined when it can. */
export function faultOfValue(rule: VariableRule, value: string): string | undefined {
  switch (rule.type) {
    case 'string':
      return value.length > (rule.max_length ?? Number.POSITIVE_INFINITY)
        ? `holds ${value.length} characters; ${rule.max_length} are allowed`
        : undefined;
    case 'integer':
      return wholeNumber.test(value) && Number.isSafeInteger(Number(value))
        ? faultOfSize(rule, Number(value))
        : 'must be a whole number such as 3';
    case 'number':
      return decimal.test(value) && Number.isFinite(Number(value))
        ? faultOfSize(rule, Number(value))
        : 'must be a number such as 0.5';
    case 'boolean':
      return value === 'true' || value === 'false' ? undefined : 'must be true or false';
    case 'enum':
      return rule.values?.includes(value) ? undefined : `must be one of ${nameSome(rule.values ?? [])}`;
  }
}

function faultOfSize(rule: VariableRule, value: number): string | undefined {
  if (value < (rule.minimum ?? Number.NEGATIVE_INFINITY)) return `must be at least ${rule.minimum}`;
  if (value > (rule.maximum ?? Number.POSITIVE_INFINITY)) return `must be at most ${rule.maximum}`;
  return undefined;
}

/**
 * The value of each variable, as text: what was given, else the default, else nothing where it is optional. Values are checked
 * and never changed. Throws `invalid_request` for names that the pattern does not know, `missing_variable`, `invalid_variable`;
 * each error points at the first name and lists all.
 */
export function resolveVariables(
  rules: readonly VariableRule[],
  given: Readonly<Record<string, string>> | undefined = {},
): ReadonlyMap<string, string> {
  const names = Object.keys(given);
  if (rules.length === 0 && names.length === 0) return none;
  refuseUnknown(rules, names);
  const values = new Map<string, string>();
  const missing: string[] = [];
  const invalid: Problem[] = [];
  for (const rule of rules) {
    if (!Object.hasOwn(given, rule.name)) {
      if (rule.default !== undefined) values.set(rule.name, rule.default);
      else if (rule.required) missing.push(rule.name);
      else values.set(rule.name, '');
      continue;
    }
    const value = given[rule.name] as string;
    const fault = faultOfValue(rule, value);
    if (fault !== undefined) invalid.push(problem(rule.name, `${rule.name} ${fault}`));
    values.set(rule.name, value);
  }
  if (missing.length > 0) {
    const message = `The pattern needs a value for ${nameSome(missing)}. Send it in variables.`;
    throw refusal(
      'missing_variable',
      message,
      missing.map((name) => problem(name, 'has no value')),
    );
  }
  if (invalid.length > 0) throw refusal('invalid_variable', `${invalid[0]?.detail}.`, invalid);
  return values;
}

interface Problem {
  readonly pointer: string;
  readonly detail: string;
}

function refuseUnknown(rules: readonly VariableRule[], names: readonly string[]): void {
  const known = new Set(rules.map((rule) => rule.name));
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  const knows = known.size === 0 ? 'It has no variables' : `It knows ${nameSome([...known])}`;
  const hint = unknown[0] === 'input' ? ' The input is a field of its own.' : '';
  throw refusal(
    'invalid_request',
    `The pattern has no variable ${nameSome(unknown)}. ${knows}.${hint}`,
    unknown.map((name) => problem(name, 'is not a variable of this pattern')),
  );
}

function problem(name: string, detail: string): Problem {
  return { pointer: `/variables/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, detail };
}

function refusal(
  code: 'invalid_request' | 'missing_variable' | 'invalid_variable',
  message: string,
  problems: readonly Problem[],
): AppError {
  return new AppError(code, message, { pointer: problems[0]?.pointer ?? '/variables', problems });
}

function nameSome(names: readonly string[]): string {
  const shown = names.slice(0, 20).map((name) => (name.length > 100 ? `${name.slice(0, 99)}…` : name));
  return names.length > 20 ? `${shown.join(', ')} and ${names.length - 20} more` : shown.join(', ');
}
