import { fileLimit, type PatternFile } from '@damask/contracts/pattern.ts';
import { defaultSettings, type PatternSettings } from '@damask/contracts/pattern-settings.ts';
import type { Parameters } from '@damask/contracts/run.ts';
import { AppError } from '#platform/app-error.ts';
import { type CompiledTemplate, compileTemplate } from '../template/template.ts';
import { foundVariable, type VariableRule } from '../template/variables.ts';
import { type PatternYaml, readPatternYaml } from '../yaml/pattern-yaml.ts';
import { variablesAllowed } from '../yaml/yaml-variables.ts';
import { faultOfPath, findTwins } from './check-paths.ts';
import { derivedDescription, derivedTitle } from './derived-text.ts';
import { digestFiles, digestOfRun } from './digest.ts';
import { quoteText } from './quote-text.ts';

/** A checked version, ready to be stored: the derived fields of a PatternVersion. */
export interface VersionContent {
  /** Of the files that affect a run. */
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

export interface FileProblem {
  /** Index of the file, or null when the folder as a whole is wrong. */
  readonly file: number | null;
  readonly detail: string;
}

export const filesAllowed = 100;
const bytesAllowed = 4 * 1024 * 1024;
const problemsShown = 50;
// The largest real pattern has about 300; reading 5,000 takes some 10 ms.
const bracesAllowed = 5000;

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
  const pointed = problems.slice(0, problemsShown).map(({ file, detail }) => ({
    pointer: sent.files === undefined ? '/system' : file === null ? '/files' : `/files/${file}`,
    detail,
  }));
  const more = problems.length > 1 ? ` ${problems.length - 1} more in problems.` : '';
  throw new AppError('invalid_pattern', `${pointed[0]?.detail}.${more}`, {
    pointer: pointed[0]?.pointer ?? '/files',
    problems: pointed,
  });
}

/**
 * The content of a folder of files, or why it is none. `refuseTokens`: an author can mend a token that looks meant and cannot be; in
 * an imported library it stays literal text and is listed.
 */
export function inspectVersion(
  pattern: string,
  files: readonly PatternFile[],
  options: { readonly known?: KnownAbout; readonly refuseTokens: boolean },
): { content?: VersionContent; problems: readonly FileProblem[] } {
  const problems = findFileProblems(files);
  const at = (path: string) => files.findIndex((file) => file.path === path);
  const system = files[at('system.md')]?.content ?? '';
  const yamlText = files[at('pattern.yaml')]?.content;
  if (problems.length > 0) return { problems };
  if (countBraces(system) > bracesAllowed) {
    return { problems: [{ file: at('system.md'), detail: `system.md holds more than ${bracesAllowed} "{{"` }] };
  }
  const { yaml, problems: yamlProblems } = readPatternYaml(yamlText ?? '');
  for (const { line, detail } of yamlProblems) {
    problems.push({ file: at('pattern.yaml'), detail: `pattern.yaml line ${line}: ${detail}` });
  }
  if (problems.length > 0) return { problems };
  const template = compileTemplate(system, {
    declared: yaml.variables.map((variable) => variable.name),
    literals: yaml.literal_tokens,
    closed: foreignTexts.has(pattern),
  });
  if (options.refuseTokens) {
    for (const { token, line, detail } of template.problems) {
      problems.push({ file: at('system.md'), detail: `system.md line ${line}: ${quoteText(token)} ${detail}` });
    }
  }
  const declared = new Set(yaml.variables.map((variable) => variable.name));
  const found = template.variables.filter((name) => !declared.has(name)).map(foundVariable);
  if (declared.size + found.length > variablesAllowed) {
    problems.push({ file: at('system.md'), detail: `system.md uses more than ${variablesAllowed} variables` });
  }
  if (problems.length > 0) return { problems };
  const content = toContent(pattern, files, { yaml, template, found, known: options.known ?? {} });
  return { content, problems };
}

interface Read {
  readonly yaml: PatternYaml;
  readonly template: CompiledTemplate;
  readonly found: readonly VariableRule[];
  readonly known: KnownAbout;
}

function toContent(pattern: string, files: readonly PatternFile[], read: Read): VersionContent {
  const { yaml, template, found, known } = read;
  const system = files.find((file) => file.path === 'system.md')?.content ?? '';
  return {
    digest: digestOfRun(files),
    files_digest: digestFiles(files),
    title: yaml.title || derivedTitle(system, pattern),
    description: yaml.description || known.description || derivedDescription(system),
    tags: yaml.tags ?? known.tags ?? [],
    model: yaml.models?.[0]?.name ?? null,
    parameters: yaml.parameters,
    settings: toSettings(yaml),
    variables: [...yaml.variables, ...found],
    literal_tokens: template.literalTokens,
    disabled_capabilities: template.disabledCapabilities,
    files: files.map(({ path, content }) => ({ path, content })).sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

function toSettings(yaml: PatternYaml): PatternSettings {
  const { owner, language, template, models, fallbacks, output, limits, tools, data_class, on_uncertain, cache } = yaml;
  const said = { owner, language, template, models, fallbacks, output, limits, tools, data_class, on_uncertain, cache };
  return {
    ...defaultSettings,
    ...(Object.fromEntries(
      Object.entries(said).filter(([, value]) => value !== undefined),
    ) as Partial<PatternSettings>),
    examples: (yaml.examples ?? []).map(({ line: _, ...example }) => example),
  };
}

function countBraces(text: string): number {
  let count = 0;
  for (let at = text.indexOf('{{'); at !== -1 && count <= bracesAllowed; at = text.indexOf('{{', at + 1)) count++;
  return count;
}

function findFileProblems(files: readonly PatternFile[]): FileProblem[] {
  const problems: FileProblem[] = [];
  let bytes = 0;
  if (files.length > filesAllowed)
    problems.push({ file: null, detail: `a pattern holds at most ${filesAllowed} files` });
  for (const [file, { path, content }] of files.entries()) {
    const shown = quoteText(path);
    const fault = faultOfPath(path);
    if (fault !== undefined) problems.push({ file, detail: `the path ${shown} ${fault}` });
    const size = Buffer.byteLength(content);
    bytes += size;
    if (size > fileLimit) problems.push({ file, detail: `${shown} holds more than ${fileLimit} bytes` });
    if (content.includes('\0') || !content.isWellFormed()) {
      problems.push({ file, detail: `${shown} holds NUL or broken characters` });
    }
    if (path === 'pattern.yml') problems.push({ file, detail: 'pattern.yml must be named pattern.yaml' });
    if (path === 'system.md' && content.trim() === '') problems.push({ file, detail: 'system.md is empty' });
  }
  if (bytes > bytesAllowed) problems.push({ file: null, detail: `a pattern holds at most ${bytesAllowed} bytes` });
  const paths = files.map((file) => file.path);
  if (!paths.includes('system.md')) problems.push({ file: null, detail: 'system.md is missing; it holds the prompt' });
  for (const { index, detail } of findTwins(paths)) {
    problems.push({ file: index, detail: `the path ${quoteText(paths[index] ?? '')} ${detail}` });
  }
  return problems;
}
