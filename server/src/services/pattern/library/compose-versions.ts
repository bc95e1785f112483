import { setImmediate as letOthersRun } from 'node:timers/promises';
import type { Transaction } from '#platform/database/database.ts';
import { checkChains } from '../chain/check-chains.ts';
import { everyIncluded, type IncludedText, readComposition } from '../template/composition.ts';
import type { IncludeTag } from '../template/template.ts';
import type { ComposeProblem, Draft } from './draft.ts';
import { findPublished, type Published } from './find-published.ts';
import { faultOfIncluded, includeText, levelsAllowed, textsAllowed } from './include-text.ts';
import { quoteText } from './quote-text.ts';
import { inspectVersion, refusePattern, type SentContent, type VersionContent } from './version-content.ts';

/** Drafts that wait for each other: far more than may be included, so that longer circles are told as circles. */
const openAllowed = 100;
/** Nobody reads more of them. */
const problemsAllowed = 1000;
/** Of all drafts with what they include: a small text that thousands include would fill the memory. */
const charactersAllowed = 64 * 1024 * 1024;

/**
 * Looks up what drafts include: another draft where it has that name, else the newest version in the library. Answers each draft's
 * complete content by name, or the problems. What is included is fixed from here on.
 */
export async function composeVersions(
  transaction: Transaction,
  drafts: readonly Draft[],
): Promise<{ contents: ReadonlyMap<string, VersionContent>; problems: readonly ComposeProblem[] }> {
  const byName = new Map(drafts.map((draft) => [draft.name, draft]));
  const contents = new Map<string, VersionContent>();
  const problems: ComposeProblem[] = [];
  const published = new Map<string, Published | undefined>();
  // Each draft is read once, also the one that cannot be published: thousands may lead to it.
  const failed = new Set<string>();
  let characters = 0;

  /** `open` are the drafts that wait for this one. */
  async function compose(draft: Draft, open: readonly string[]): Promise<VersionContent | undefined> {
    const { name, content } = draft;
    const known = contents.get(name);
    if (known || content.wanted.length === 0) return known ?? content;
    if (failed.has(name)) return undefined;
    const read = await composeNew(draft, open);
    characters += read?.text.length ?? 0;
    if (read) contents.set(name, read);
    else failed.add(name);
    return read;
  }

  async function composeNew(draft: Draft, open: readonly string[]): Promise<VersionContent | undefined> {
    const { name, content } = draft;
    const path = [...open, name];
    const before = problems.length;
    const included: IncludedText[] = [];
    for (const tag of content.wanted.slice(0, textsAllowed + 1)) {
      const text = await take(tag, path);
      if (typeof text !== 'string') {
        included.push(text);
        // Told below; more of it would only cost time.
        if (faultOfIncluded(included) !== undefined) break;
      } else problems.push(problemOf(draft, `line ${tag.line}: ${quoteText(tag.token)} ${text}`));
    }
    const fault = faultOfIncluded(included);
    if (fault !== undefined) problems.push(problemOf(draft, fault));
    if (problems.length > before) return undefined;
    const { description, tags, files } = content;
    const read = inspectVersion(name, files, { known: { description, tags }, refuseTokens: false, included });
    problems.push(...read.problems.map((problem) => ({ ...problem, pattern: name })));
    return read.content;
  }

  async function take(tag: IncludeTag, path: readonly string[]): Promise<IncludedText | string> {
    if (path.includes(tag.pattern)) return circle([...path.slice(path.indexOf(tag.pattern)), tag.pattern]);
    if (path.length > openAllowed) return `includes reach more than ${levelsAllowed} levels deep`;
    const draft = byName.get(tag.pattern);
    let source: Published | undefined;
    if (draft) {
      const content = await compose(draft, path);
      if (!content) return `includes ${tag.pattern}, which cannot be published itself`;
      source = toPublished(draft.version, content);
    } else {
      if (!published.has(tag.pattern)) published.set(tag.pattern, await findPublished(transaction, tag.pattern));
      source = published.get(tag.pattern);
    }
    if (source?.composition.text === '') return `names ${tag.pattern}, a chain, which has no text to include`;
    if (!source) return `names a pattern that is not there: ${tag.pattern}. \`damask patterns\` lists them`;
    for (const { text, through } of everyIncluded(source.composition.included)) {
      if (path.includes(text.pattern)) {
        return circle([...path.slice(path.indexOf(text.pattern)), tag.pattern, ...through, text.pattern]);
      }
    }
    return includeText(tag, source);
  }

  for (const draft of drafts) {
    if (problems.length > problemsAllowed) break;
    if (draft.content.wanted.length > 0) await letOthersRun();
    await compose(draft, []);
    if (characters > charactersAllowed) {
      const fault = `and what is read before it include more than ${charactersAllowed} characters in all; import parts of it`;
      problems.push(problemOf(draft, fault));
      break;
    }
  }
  for (const { name, content } of drafts) if (!contents.has(name)) contents.set(name, content);
  const whole = drafts.map((draft) => ({ ...draft, content: contents.get(draft.name) ?? draft.content }));
  const chains = await checkChains(transaction, whole);
  return { contents: new Map([...contents, ...chains.contents]), problems: [...problems, ...chains.problems] };
}

/** Whether something in it has to be looked up before it can be stored. */
export const mustCompose = ({ wanted, chainLines }: VersionContent): boolean =>
  wanted.length > 0 || chainLines !== null;

/** The complete content of one version. Throws `invalid_pattern` as `readVersionContent` does. */
export async function composeVersion(
  transaction: Transaction,
  draft: Draft,
  sent: SentContent,
): Promise<VersionContent> {
  if (!mustCompose(draft.content)) return draft.content;
  const { contents, problems } = await composeVersions(transaction, [draft]);
  if (problems.length === 0) return contents.get(draft.name) as VersionContent;
  // The content is in the order of its paths, what was sent is not.
  const places = problems.map(({ file, detail }) => {
    const path = file === null ? undefined : draft.content.files[file]?.path;
    const place = sent.files?.findIndex((each) => each.path === path) ?? -1;
    return { file: place === -1 ? null : place, detail };
  });
  throw refusePattern(sent, places);
}

function toPublished(version: number, content: VersionContent): Published {
  const { digest, settings, variables, literal_tokens, disabled_capabilities, text } = content;
  const composition = readComposition(text, settings.includes.length > 0);
  return {
    version,
    digest,
    template: settings.template,
    composition,
    variables,
    literal_tokens,
    disabled_capabilities,
  };
}

function problemOf({ name, content }: Draft, detail: string): ComposeProblem {
  const file = content.files.findIndex(({ path }) => path === 'system.md');
  return { pattern: name, file, detail: `system.md ${detail}` };
}

const circle = (path: readonly string[]) => `leads back to itself: ${path.join(' → ')}`;
