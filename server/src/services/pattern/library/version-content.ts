import type { Parameters } from '@damask/contracts/parameters.ts';
import type { PatternFile } from '@damask/contracts/pattern.ts';
import { defaultSettings, type PatternSettings } from '@damask/contracts/pattern-settings.ts';
import { AppError } from '#platform/app-error.ts';
import { findFileSecrets } from '../guard/refuse-secrets.ts';
import { everyIncluded, type IncludedText, partsOf, writeComposition } from '../template/composition.ts';
import { type CompiledTemplate, compileTemplate, type IncludeTag } from '../template/template.ts';
import type { VariableRule } from '../template/variables.ts';
import { type PatternYaml, readPatternYaml } from '../yaml/pattern-yaml.ts';
import { type FileProblem, findFileProblems } from './check-files.ts';
import type { StoredTemplate } from './compile-version.ts';
import { derivedDescription, derivedTitle } from './derived-text.ts';
import { digestFiles, digestOfRun } from './digest.ts';
import { findExampleProblems } from './example-problems.ts';
import { quoteText } from './quote-text.ts';
import { readSchemaFile } from './read-schema-file.ts';
import { settleVariables } from './settle-variables.ts';

/** A checked version, ready to be stored: the derived fields of a PatternVersion. */
export interface VersionContent {
  /** Of the files that affect a run, and of what they include. */
  readonly digest: string;
  /** Of all files: versions are the same only when these are. */
  readonly files_digest: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly model: string | null;
  readonly parameters: Parameters;
  readonly settings: PatternSettings;
  readonly variables: readonly VariableRule[];
  readonly literal_tokens: readonly string[];
  readonly disabled_capabilities: readonly string[];
  /** In the order of their paths. */
  readonly files: readonly PatternFile[];
  /** What a run reads: the text of system.md with what it includes, as `writeComposition` writes it. */
  readonly text: string;
  /** Texts that it includes and that were not looked up yet; such a content cannot be stored. */
  readonly wanted: readonly IncludeTag[];
  /** Set until the patterns of its steps were looked up: lines of pattern.yaml by place, as `WrittenChain` has them. */
  readonly chainLines: Readonly<Record<string, number>> | null;
}

/** What an author sends: the text of system.md alone, or all files. */
export interface SentContent {
  readonly system?: string;
  readonly files?: readonly PatternFile[];
}

/** What pattern.yaml does not say: Fabric keeps it outside the folder, and a new version inherits it from the last. */
export interface KnownAbout {
  readonly description?: string;
  readonly tags?: readonly string[];
}

export interface InspectOptions {
  readonly known?: KnownAbout;
  /** An author can mend a token that looks meant and cannot be; in an imported library it stays literal text and is listed. */
  readonly refuseTokens: boolean;
  /** What stands for each include, in order; absent: it was not looked up yet. */
  readonly included?: readonly IncludedText[];
}

const problemsShown = 50;
const chainWithText =
  'a chain has no system.md: its texts are in the patterns of its steps. Make a pattern of this text and a step that runs it, or remove steps';

// Their texts document other template languages, so no name in them is a variable of ours.
const foreignTexts: ReadonlySet<string> = new Set(['sanitize_broken_html_to_markdown', 'write_nuclei_template_rule']);

/**
 * Checks what an author sends as a version of `pattern`. Throws `invalid_request` unless exactly one of `system` and `files` is there,
 * `invalid_pattern` with every problem and a pointer to its file.
 */
export function readVersionContent(pattern: string, sent: SentContent, known: KnownAbout = {}): VersionContent {
  if ((sent.system === undefined) === (sent.files === undefined)) {
    throw new AppError('invalid_request', 'Send either system (the text of system.md) or files, one of the two.', {
      pointer: sent.system === undefined ? '' : '/files',
    });
  }
  const files = sent.files ?? [{ path: 'system.md', content: sent.system ?? '' }];
  const { content, problems } = inspectVersion(pattern, files, { known, refuseTokens: true });
  if (content) return content;
  throw refusePattern(sent, problems);
}

/** The error for what was sent, with a pointer to each file. */
export function refusePattern(sent: SentContent, problems: readonly FileProblem[]): AppError {
  const pointed = problems.slice(0, problemsShown).map(({ file, detail }) => ({
    pointer: sent.files === undefined ? '/system' : file === null ? '/files' : `/files/${file}`,
    detail,
  }));
  const more = problems.length > 1 ? ` ${problems.length - 1} more in problems.` : '';
  return new AppError('invalid_pattern', `${pointed[0]?.detail}.${more}`, {
    pointer: pointed[0]?.pointer ?? '/files',
    problems: pointed,
  });
}

/** The content of a folder of files, or why it is none. */
export function inspectVersion(
  pattern: string,
  files: readonly PatternFile[],
  options: InspectOptions,
): { content?: VersionContent; problems: readonly FileProblem[] } {
  const unread = findFileProblems(files);
  if (unread.length > 0) return { problems: unread };
  const secrets = findFileSecrets(files);
  if (secrets.length > 0) return { problems: secrets.map((found) => ({ ...found, secret: true as const })) };
  const problems: FileProblem[] = [];
  const tell = (path: string, line: number | null, detail: string) => {
    const file = files.findIndex((each) => each.path === path);
    problems.push({ file, detail: line === null ? `${path}: ${detail}` : `${path} line ${line}: ${detail}` });
  };
  const textOf = (path: string) => files.find((file) => file.path === path)?.content;

  const { yaml, problems: yamlProblems } = readPatternYaml(textOf('pattern.yaml') ?? '');
  for (const { line, detail } of yamlProblems) tell('pattern.yaml', line, detail);
  if (problems.length > 0) return { problems };
  const schema = yaml.schemaFile && readSchemaFile(yaml.schemaFile, textOf, tell);

  const system = textOf('system.md') ?? '';
  const language = yaml.template ?? 1;
  const written = files.some(({ path }) => path === 'system.md');
  if (yaml.chain && written) tell('system.md', 1, chainWithText);
  if (!yaml.chain && !written) problems.push({ file: null, detail: 'system.md is missing; it holds the prompt' });
  const template = compileTemplate(system, {
    declared: yaml.variables.map((variable) => variable.name),
    literals: yaml.literal_tokens,
    closed: foreignTexts.has(pattern),
    language,
    ...(options.included && { included: partsOf(options.included) }),
  });
  if (options.refuseTokens || language === 2) {
    for (const { token, line, detail } of template.problems) tell('system.md', line, `${quoteText(token)} ${detail}`);
  }
  const included = options.included ?? [];
  const variables = settleVariables(yaml.variables, template, included, tell);
  const complete = template.includes.length === included.length;
  if (complete) findExampleProblems(yaml.examples ?? [], variables, textOf, tell);
  if (problems.length > 0) return { problems };
  const settings = toSettings(yaml, schema, included);
  const content = toContent(pattern, files, { yaml, settings, template, variables, included, known: options.known });
  const wanted = complete ? [] : template.includes;
  return { content: { ...content, wanted, chainLines: yaml.chain?.lines ?? null }, problems };
}

interface Read {
  readonly yaml: PatternYaml;
  readonly settings: PatternSettings;
  readonly template: CompiledTemplate;
  readonly variables: readonly VariableRule[];
  readonly included: readonly IncludedText[];
  readonly known: KnownAbout | undefined;
}

function toContent(
  pattern: string,
  files: readonly PatternFile[],
  read: Read,
): Omit<VersionContent, 'wanted' | 'chainLines'> {
  const { yaml, settings, template, variables, included, known } = read;
  const system = files.find((file) => file.path === 'system.md')?.content ?? '';
  const disabled = everyIncluded(included).flatMap(({ text }) => text.disabled_capabilities);
  return {
    digest: digestOfRun(files, { schemaFile: yaml.schemaFile?.path, included }),
    files_digest: digestFiles(files),
    title: yaml.title || derivedTitle(system, pattern),
    description: yaml.description || known?.description || derivedDescription(system, settings.template),
    tags: yaml.tags ?? known?.tags ?? [],
    model: yaml.models?.[0]?.name ?? null,
    parameters: yaml.parameters,
    settings,
    variables,
    literal_tokens: template.literalTokens,
    disabled_capabilities: [...new Set([...template.disabledCapabilities, ...disabled])],
    files: files.map(({ path, content }) => ({ path, content })).sort((a, b) => (a.path < b.path ? -1 : 1)),
    text: writeComposition({ text: system, included }),
  };
}

function toSettings(
  yaml: PatternYaml,
  schema: PatternSettings['output']['schema'] | undefined,
  included: readonly IncludedText[],
): PatternSettings {
  const { owner, language, template, models, fallbacks, output, limits, tools } = yaml;
  const { data_class, store, on_uncertain, cache } = yaml;
  const { checks, redact, mark_input = yaml.variables.some(({ untrusted }) => untrusted) || undefined } = yaml;
  const guards = { checks, redact, mark_input };
  const said = {
    owner,
    language,
    template,
    models,
    fallbacks,
    output,
    limits,
    tools,
    data_class,
    store,
    on_uncertain,
    cache,
    ...guards,
  };
  const settings: PatternSettings = {
    ...defaultSettings,
    ...(Object.fromEntries(
      Object.entries(said).filter(([, value]) => value !== undefined),
    ) as Partial<PatternSettings>),
    examples: (yaml.examples ?? []).map(({ line: _, ...example }) => example),
    includes: everyIncluded(included).map(({ text: { pattern, section, version, digest }, through }) => {
      return { pattern, section, version, digest, through: [...through] };
    }),
  };
  if (yaml.chain) {
    const { steps, output: from } = yaml.chain;
    return { ...settings, steps: [...steps], output: { ...settings.output, from } };
  }
  return schema ? { ...settings, output: { ...settings.output, schema } } : settings;
}

/** What a run reads of a content. */
export function templateOf({ text, settings, ...content }: VersionContent): StoredTemplate {
  const { template, includes } = settings;
  const { variables, literal_tokens, disabled_capabilities } = content;
  return { text, template, includes, variables, literal_tokens, disabled_capabilities };
}
