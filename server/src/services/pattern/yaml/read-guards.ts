import { type DetectorKind, detectorKinds, type OutputCheck, type Redaction } from '@damask/contracts/guard.ts';
import type { PatternYaml } from '@damask/contracts/pattern-yaml.ts';
import { finderOf } from '#platform/redact/redactor.ts';
import { quoteText } from '../library/quote-text.ts';
import type { Places } from './read-by-schema.ts';
import type { YamlSource } from './read-yaml.ts';

/** Characters of all words of a check: they are looked for one by one. */
const mostOfWords = 8_000;

/** The checks of pattern.yaml, in its order. Adds what does not go together to the problems. */
export function readChecks(
  source: YamlSource,
  written: NonNullable<PatternYaml['checks']>,
  places: Places,
): OutputCheck[] {
  return Object.entries(written).map(([name, said]) => {
    const { detect = [], words = [], expressions = [], prompt_leak = false, on_fail = 'block' } = said;
    const at = places.get(`checks/${name}#key`);
    if (detect.length + words.length + expressions.length === 0 && !prompt_leak) {
      source.refuse(at, `the check ${name} looks for nothing: give it detect, words, expressions or prompt_leak: true`);
    }
    if (on_fail === 'mask' && (words.length + expressions.length > 0 || prompt_leak)) {
      source.refuse(
        at,
        `the check ${name}: only what detect finds can be masked; put the rest into a check of its own`,
      );
    }
    if (words.reduce((sum, word) => sum + word.length, 0) > mostOfWords) {
      source.refuse(at, `the words of the check ${name} may hold ${mostOfWords} characters in all`);
    }
    for (const [index, expression] of expressions.entries()) {
      refuseExpression(source, expression, places.get(`checks/${name}/expressions/${index}`));
    }
    return {
      name,
      detect: distinct(detect),
      words: distinct(words),
      expressions: distinct(expressions),
      prompt_leak,
      on_fail,
    };
  });
}

/** What pattern.yaml says is to be taken out of stored texts. Without kinds and expressions: all kinds. */
export function readRedact(
  source: YamlSource,
  { kinds, expressions = {}, model = false }: NonNullable<PatternYaml['redact']>,
  places: Places,
): Redaction {
  const named = Object.entries(expressions).map(([name, expression]) => {
    const at = places.get(`redact/expressions/${name}#key`);
    if ((detectorKinds as readonly string[]).includes(name)) {
      source.refuse(at, `${name} is a kind that the platform knows; choose another name for your expression`);
    }
    refuseExpression(source, expression, at);
    return { name, expression };
  });
  const all = kinds === undefined && named.length === 0;
  return { kinds: all ? [...detectorKinds] : distinct<DetectorKind>(kinds ?? []), expressions: named, model };
}

function refuseExpression(source: YamlSource, expression: string, at: ReturnType<Places['get']>): void {
  try {
    finderOf(expression);
  } catch (error) {
    source.refuse(at, `the expression ${quoteText(expression, 60)} cannot be used: ${(error as Error).message}`);
  }
}

const distinct = <Value>(values: readonly Value[]): Value[] => [...new Set(values)];
