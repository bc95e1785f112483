import type { Parameters } from '@damask/contracts/parameters.ts';
import type { PatternSettings, WeightedModel } from '@damask/contracts/pattern-settings.ts';
import { PatternYaml as Fields } from '@damask/contracts/pattern-yaml.ts';
import { quoteText } from '../library/quote-text.ts';
import { readWholeToken } from '../template/scan-tokens.ts';
import type { VariableRule } from '../template/variables.ts';
import { faultOfJsonSchema } from './check-json-schema.ts';
import { type Places, readBySchema } from './read-by-schema.ts';
import { readChecks, readRedact } from './read-guards.ts';
import { readSteps, type WrittenChain } from './read-steps.ts';
import { readYaml, type YamlProblem, type YamlSource } from './read-yaml.ts';
import { readVariables, type WrittenVariables } from './yaml-variables.ts';

type Written = Fields;
type Output = PatternSettings['output'];
type Example = PatternSettings['examples'][number];

/** What pattern.yaml says. A field that the file leaves out is absent. */
export interface PatternYaml {
  readonly title?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly owner?: string;
  readonly language?: string;
  readonly template?: 1 | 2;
  readonly models?: WeightedModel[];
  readonly fallbacks?: string[];
  readonly output?: Output;
  /** The file that holds the schema of the output, where it is not written in pattern.yaml. */
  readonly schemaFile?: { readonly path: string; readonly line: number };
  readonly limits?: PatternSettings['limits'];
  readonly examples?: readonly (Example & { readonly line: number })[];
  readonly tools?: PatternSettings['tools'];
  readonly data_class?: PatternSettings['data_class'];
  readonly checks?: PatternSettings['checks'];
  readonly redact?: NonNullable<PatternSettings['redact']>;
  readonly mark_input?: boolean;
  readonly store?: PatternSettings['store'];
  readonly on_uncertain?: PatternSettings['on_uncertain'];
  readonly cache?: { ttl_seconds: number };
  /** Set where the pattern is a chain. */
  readonly chain?: WrittenChain;
  readonly parameters: Parameters;
  readonly variables: readonly VariableRule[];
  /** Whole tokens that stay as they are. */
  readonly literal_tokens: readonly string[];
}

const problemsShown = 20;

/** Reads pattern.yaml. Answers what it says, or each problem with its line; never throws and never takes long. */
export function readPatternYaml(text: string): { yaml: PatternYaml; problems: readonly YamlProblem[] } {
  const source = readYaml(text);
  let yaml: PatternYaml = { parameters: {}, variables: [], literal_tokens: [] };
  if (source.problems.length === 0) {
    const places: Places = new Map();
    const written = readBySchema(source, source.root, Fields, { what: 'pattern.yaml', places }) as Written | undefined;
    if (written) yaml = toPatternYaml(source, written, places);
  }
  const problems = source.problems.toSorted((a, b) => a.line - b.line).slice(0, problemsShown);
  return { yaml, problems };
}

function toPatternYaml(source: YamlSource, written: Written, places: Places): PatternYaml {
  const { title, description, owner, language, template, fallbacks, data_class, store, on_uncertain, cache } = written;
  const { checks, redact, mark_input } = written;
  const variables = readVariables(source, (written.variables ?? {}) as WrittenVariables, places);
  const yaml = {
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(written.tags && { tags: [...new Set(written.tags)] }),
    ...(owner !== undefined && { owner }),
    ...(language !== undefined && { language: canonicalLanguage(source, language, places) }),
    ...(template !== undefined && { template }),
    ...(written.model !== undefined && { models: readModels(source, written.model, places) }),
    ...(fallbacks && { fallbacks: [...new Set(fallbacks)] }),
    ...(written.limits && { limits: { input_characters: null, timeout_ms: null, ...written.limits } }),
    ...(written.tools && { tools: readTools(source, written.tools, places) }),
    ...(written.examples && { examples: readExamples(source, written.examples, places) }),
    ...(written.steps
      ? readChain(source, written, places)
      : written.output !== undefined && readOutput(source, written.output, places)),
    ...(data_class !== undefined && { data_class }),
    ...(checks && { checks: readChecks(source, checks, places) }),
    ...(redact && { redact: readRedact(source, redact, places) }),
    ...(mark_input !== undefined && { mark_input }),
    ...(store !== undefined && { store }),
    ...(on_uncertain !== undefined && { on_uncertain }),
    ...(cache && cache.ttl_seconds !== undefined && { cache }),
    parameters: (written.parameters ?? {}) as Parameters,
    variables,
    literal_tokens: readLiterals(source, written.literal_tokens ?? [], places),
  };
  if (store === 'none' && cache) {
    source.refuse(places.get('cache#key'), 'cache keeps answers and store: none keeps nothing; remove one');
  }
  for (const { name } of variables) {
    if (yaml.literal_tokens.includes(`{{${name}}}`)) {
      source.refuse(
        places.get(`variables/${name}#key`),
        `"${name}" stands under variables and under literal_tokens; remove one`,
      );
    }
  }
  return yaml;
}

function canonicalLanguage(source: YamlSource, language: string, places: Places): string {
  try {
    return Intl.getCanonicalLocales(language)[0] ?? language;
  } catch {
    source.refuse(places.get('language'), 'language must be a language in BCP 47, such as de or pt-BR');
    return language;
  }
}

function readModels(source: YamlSource, model: NonNullable<Written['model']>, places: Places): WeightedModel[] {
  if (typeof model === 'string') return [{ name: model, weight: 1 }];
  const names = new Set<string>();
  for (const { name } of model) {
    if (names.has(name)) source.refuse(places.get('model'), `${quoteText(name, 60)} is there twice under model`);
    names.add(name);
  }
  return model.map(({ name, weight = 1 }) => ({ name, weight }));
}

function readLiterals(source: YamlSource, literals: readonly string[], places: Places): string[] {
  for (const [index, token] of literals.entries()) {
    if (readWholeToken(token)) continue;
    source.refuse(
      places.get(`literal_tokens/${index}`),
      `${quoteText(token, 60)} is not a token; write it in quotes and with its braces: "{{name}}"`,
    );
  }
  return [...new Set(literals)];
}

// A chain goes on from what its steps have said, so that is stored. The texts of a chain are in the patterns of its steps, and so is what is said about them.
const ofTexts = [
  'language',
  'template',
  'literal_tokens',
  'model',
  'fallbacks',
  'parameters',
  'tools',
  'checks',
  'mark_input',
  'on_uncertain',
  'cache',
  'store',
];

function readChain(source: YamlSource, written: Written, places: Places): { chain: WrittenChain } {
  const { steps = {}, output, variables = {} } = written;
  for (const field of ofTexts.filter((each) => Object.hasOwn(written, each))) {
    source.refuse(places.get(`${field}#key`), `${field} is not for a chain; say it in the patterns of its steps`);
  }
  if (written.limits?.timeout_ms !== undefined) {
    const instead = 'say it of each step; a run may have a deadline';
    source.refuse(places.get('limits/timeout_ms'), `limits.timeout_ms is not for a chain; ${instead}`);
  }
  if (typeof output === 'object') {
    source.refuse(places.get('output'), 'output of a chain is a reference to a step, such as $steps.answer.output');
  }
  const from = typeof output === 'string' ? output : undefined;
  const chain = readSteps({ source, places, written: steps, variables: Object.keys(variables) }, from);
  return { chain };
}

const nothing: Exclude<Written['output'], string | undefined> = {};

function readOutput(
  source: YamlSource,
  said: NonNullable<Written['output']>,
  places: Places,
): { output: Output; schemaFile?: NonNullable<PatternYaml['schemaFile']> } {
  if (typeof said === 'string') {
    source.refuse(places.get('output'), 'output must be written as "key: value" lines; a reference is for a chain');
  }
  const { type = 'markdown', schema, max_characters } = typeof said === 'string' ? nothing : said;
  const at = places.get('output/schema');
  if (schema !== undefined && type !== 'json') source.refuse(at, 'schema is for type json; say type: json as well');
  const written = typeof schema === 'object' ? schema : null;
  if (written) refuseSchema(source, written, places, 'output/schema');
  const file = typeof schema === 'string' ? schema : undefined;
  if (file !== undefined && !file.endsWith('.json')) {
    source.refuse(at, `schema must be a schema or name a .json file of this folder, not ${quoteText(file, 60)}`);
  }
  return {
    output: { type, schema: written, max_characters: max_characters ?? null },
    ...(file !== undefined && { schemaFile: { path: file, line: source.lineOf(at) } }),
  };
}

function readTools(source: YamlSource, tools: NonNullable<Written['tools']>, places: Places): PatternSettings['tools'] {
  const names = new Set<string>();
  for (const [index, { name, parameters }] of tools.entries()) {
    if (names.has(name)) source.refuse(places.get(`tools/${index}`), `there are two tools named ${name}`);
    names.add(name);
    if (!parameters) continue;
    refuseSchema(source, parameters, places, `tools/${index}/parameters`);
    if (!('type' in parameters) || parameters.type !== 'object') {
      source.refuse(places.get(`tools/${index}/parameters`), `parameters of the tool ${name} must say type: object`);
    }
  }
  return tools.map(({ name, description, parameters }) => ({
    name,
    ...(description !== undefined && { description }),
    parameters: parameters as PatternSettings['tools'][number]['parameters'],
  }));
}

function refuseSchema(source: YamlSource, schema: object, places: Places, path: string): void {
  const fault = faultOfJsonSchema(schema);
  if (fault) source.refuse(places.get(path), `${path.replaceAll('/', '.')}${fault.pointer}: ${fault.detail}`);
}

function readExamples(
  source: YamlSource,
  examples: NonNullable<Written['examples']>,
  places: Places,
): (Example & { line: number })[] {
  return examples.map(({ name, input, file, variables, output }, index) => {
    const at = places.get(`examples/${index}`);
    if ((input === undefined) === (file === undefined)) {
      source.refuse(at, `example ${index + 1} needs either input or file, one of the two`);
    }
    return {
      name: name ?? null,
      input: input ?? null,
      file: file ?? null,
      variables: { ...variables },
      output: output ?? null,
      line: source.lineOf(at),
    };
  });
}
