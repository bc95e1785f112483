import { Parameters, runOperations } from '@damask/contracts/run.ts';
import type { Node } from 'yaml';
import { quoteText } from '../library/quote-text.ts';
import { readWholeToken } from '../template/scan-tokens.ts';
import type { VariableRule } from '../template/variables.ts';
import { entriesOf, itemsOf, numberOf, readYaml, textOf, type YamlProblem, type YamlSource } from './read-yaml.ts';
import { readVariables } from './yaml-variables.ts';

/** What pattern.yaml says. A field that the file leaves out is absent. */
export interface PatternYaml {
  readonly title?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly model?: string;
  readonly parameters: Parameters;
  readonly variables: readonly VariableRule[];
  /** Whole tokens that stay as they are. */
  readonly literal_tokens: readonly string[];
}

interface NumberRule {
  readonly type: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

type Draft = { -readonly [Key in keyof PatternYaml]: PatternYaml[Key] };

// TypeBox's types hide the bounds of an optional field; the contract stays their one source.
const { pattern: modelPattern } = runOperations.createRun.input.properties.model as { pattern?: string };
const modelName = new RegExp(modelPattern ?? '^$');
const tagsAllowed = 20;
const literalsAllowed = 100;
const problemsShown = 20;

const keys: Record<string, (source: YamlSource, node: Node | null, draft: Draft) => void> = {
  title(source, node, draft) {
    const title = textOf(source, node, 'title', 200);
    if (title !== undefined) draft.title = title.trim();
  },
  description(source, node, draft) {
    const description = textOf(source, node, 'description', 2000, true);
    if (description !== undefined) draft.description = description.trim();
  },
  tags(source, node, draft) {
    const tags = (itemsOf(source, node, 'tags') ?? []).map((item) => textOf(source, item, 'a tag', 50)?.trim());
    if (tags.length > tagsAllowed) source.refuse(node, `at most ${tagsAllowed} tags are allowed`);
    if (tags.includes('')) source.refuse(node, 'a tag must not be empty');
    draft.tags = [...new Set(tags.filter((tag) => tag !== undefined))];
  },
  variables(source, node, draft) {
    draft.variables = readVariables(source, node);
  },
  literal_tokens(source, node, draft) {
    const items = itemsOf(source, node, 'literal_tokens') ?? [];
    if (items.length > literalsAllowed) source.refuse(node, `at most ${literalsAllowed} literal_tokens are allowed`);
    const tokens = items.map((item) => {
      const token = textOf(source, item, 'a literal token', 200);
      if (token === undefined || readWholeToken(token)) return token;
      return source.refuse(
        item,
        `${quoteText(token, 60)} is not a token; write it in quotes and with its braces: "{{name}}"`,
      );
    });
    draft.literal_tokens = [...new Set(tokens.filter((token) => token !== undefined))];
  },
  model(source, node, draft) {
    const model = textOf(source, node, 'model', 300);
    if (model === undefined) return;
    if (modelName.test(model)) draft.model = model;
    else source.refuse(node, 'model must be written as provider/model, such as openai/gpt-5-mini');
  },
  parameters(source, node, draft) {
    draft.parameters = readParameters(source, node);
  },
};

function readParameters(source: YamlSource, node: Node | null): Parameters {
  const parameters: Record<string, number> = {};
  for (const { key, keyNode, value } of entriesOf(source, node, 'parameters') ?? []) {
    if (!Object.hasOwn(Parameters.properties, key)) {
      source.refuse(
        keyNode,
        `${quoteText(key, 60)} is not a parameter. Known: ${Object.keys(Parameters.properties).join(', ')}`,
      );
      continue;
    }
    const rule = Parameters.properties[key as keyof Parameters] as NumberRule;
    if (key === 'reasoning_effort' || key === 'stop') {
      source.refuse(keyNode, `${key} can be said with a run, not in a pattern yet`);
      continue;
    }
    const number = numberOf(source, value, key);
    if (number === undefined) continue;
    const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = rule;
    const whole = rule.type === 'integer';
    if ((whole && !Number.isInteger(number)) || number < minimum || number > maximum) {
      source.refuse(value, `${key} must be a ${whole ? 'whole ' : ''}number from ${minimum} to ${maximum}`);
    } else parameters[key] = number;
  }
  return parameters;
}

/** Reads pattern.yaml. Answers what it says, or each problem with its line; never throws and never takes long. */
export function readPatternYaml(text: string): { yaml: PatternYaml; problems: readonly YamlProblem[] } {
  const source = readYaml(text);
  const draft: Draft = { parameters: {}, variables: [], literal_tokens: [] };
  if (source.problems.length === 0) {
    for (const { key, keyNode, value } of entriesOf(source, source.root, 'pattern.yaml') ?? []) {
      if (Object.hasOwn(keys, key)) keys[key]?.(source, value, draft);
      else
        source.refuse(
          keyNode,
          `${quoteText(key, 60)} is not a key of pattern.yaml. Known: ${Object.keys(keys).join(', ')}`,
        );
    }
    for (const { name } of draft.variables) {
      if (draft.literal_tokens.includes(`{{${name}}}`)) {
        source.refuse(source.root, `"${name}" stands under variables and under literal_tokens; remove one`);
      }
    }
  }
  const problems = source.problems.toSorted((a, b) => a.line - b.line).slice(0, problemsShown);
  return { yaml: draft, problems };
}
