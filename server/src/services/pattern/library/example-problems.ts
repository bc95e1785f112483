import type { VariableRule } from '../template/variables.ts';
import { faultOfValue } from '../template/variables.ts';
import { nameClosest } from '../yaml/name-closest.ts';
import type { PatternYaml } from '../yaml/pattern-yaml.ts';
import { quoteText } from './quote-text.ts';

type Example = NonNullable<PatternYaml['examples']>[number];

/** Tells which examples could not be run: a file that is not there, a variable that is unknown, missing or of the wrong kind. */
export function findExampleProblems(
  examples: readonly Example[],
  variables: readonly VariableRule[],
  textOf: (path: string) => string | undefined,
  tell: (path: string, line: number | null, detail: string) => void,
): void {
  for (const [index, { name, file, variables: given, line }] of examples.entries()) {
    const refuse = (detail: string) =>
      tell('pattern.yaml', line, `example ${name === null ? index + 1 : quoteText(name, 60)} ${detail}`);
    if (file !== null && textOf(file) === undefined) refuse(`names ${file}, which is not in the folder`);
    const names = variables.map((rule) => rule.name);
    for (const [key, value] of Object.entries(given)) {
      const rule = variables.find((each) => each.name === key);
      const fault = rule && faultOfValue(rule, value);
      if (!rule) refuse(`has a value for ${key}, which is no variable of the pattern${nameClosest(key, names)}`);
      else if (fault !== undefined) refuse(`has a bad value: ${key} ${fault}`);
    }
    const missing = variables.filter((rule) => rule.required && !Object.hasOwn(given, rule.name));
    if (missing.length > 0) refuse(`has no value for ${missing.map((rule) => rule.name).join(', ')}`);
  }
}
