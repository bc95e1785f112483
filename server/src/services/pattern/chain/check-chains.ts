import { setImmediate as letOthersRun } from 'node:timers/promises';
import { defaultSettings } from '@damask/contracts/pattern-settings.ts';
import type { Transaction } from '#platform/database/database.ts';
import type { ComposeProblem, Draft } from '../library/draft.ts';
import { fromStoredSettings } from '../library/stored-settings.ts';
import type { VersionContent } from '../library/version-content.ts';
import type { Fault } from './parse-reference.ts';
import { type FindTarget, resolveChain, type VersionRule } from './resolve-chain.ts';
import type { StepTarget } from './resolved-chain.ts';
import { findStepVersion } from './store.ts';

const problemsOfOne = 20;

/**
 * Checks the chains among drafts against the patterns that their steps run: other drafts where they have the name, else the library.
 * Answers the contents of the chains with what they answer, or the problems with their lines.
 */
export async function checkChains(
  transaction: Transaction,
  drafts: readonly Draft[],
): Promise<{ contents: ReadonlyMap<string, VersionContent>; problems: readonly ComposeProblem[] }> {
  const contents = new Map<string, VersionContent>();
  const problems: ComposeProblem[] = [];
  const byName = new Map(drafts.map((draft) => [draft.name, draft]));
  const found = new Map<string, StepTarget | Fault>();
  const find: FindTarget = async (pattern, rule) => {
    const draft = byName.get(pattern);
    if (draft && rule.label === null && (rule.version ?? draft.version) === draft.version) return toTarget(draft);
    const key = `${pattern} ${rule.version ?? ''} ${rule.label ?? ''}`;
    const target = found.get(key) ?? (await findStored(transaction, pattern, rule));
    found.set(key, target);
    return target;
  };
  for (const draft of drafts) {
    const { chainLines: lines } = draft.content;
    if (!lines) continue;
    await letOthersRun();
    const { chain, problems: wrong } = await resolveChain(toTarget(draft), find);
    const { settings } = draft.content;
    const output = { ...settings.output, ...chain.answer };
    contents.set(draft.name, { ...draft.content, chainLines: null, settings: { ...settings, output } });
    const file = draft.content.files.findIndex(({ path }) => path === 'pattern.yaml');
    for (const { place, detail } of wrong.slice(0, problemsOfOne)) {
      problems.push({ pattern: draft.name, file, detail: `pattern.yaml line ${lineOf(lines, place)}: ${detail}` });
    }
  }
  return { contents, problems };
}

function toTarget({ name, version, content }: Draft): StepTarget {
  const { digest, variables, settings, disabled_capabilities: disabled } = content;
  const { output, on_uncertain, limits, data_class, store, steps } = settings;
  const pin = { pattern: name, id: '', version, digest };
  return { pin, variables, output, on_uncertain, limits, data_class, store, disabled, steps };
}

async function findStored(transaction: Transaction, pattern: string, rule: VersionRule): Promise<StepTarget | Fault> {
  const row = await findStepVersion(transaction, pattern, rule);
  if (!row) return { fault: `there is no pattern ${pattern}; \`damask patterns\` lists them` };
  const { id, latest, version, digest, variables, settings, disabled_capabilities: disabled } = row;
  if (version === null) return { fault: faultOfRule(pattern, rule, latest) };
  const { output, on_uncertain, limits, data_class, store, steps } = {
    ...defaultSettings,
    ...fromStoredSettings(settings),
  };
  const pin = { pattern, id, version, digest };
  return { pin, variables, output, on_uncertain, limits, data_class, store, disabled, steps };
}

export function faultOfRule(pattern: string, { version, label }: VersionRule, latest: number): string {
  if (version !== null) return `${pattern} has no version ${version}; the newest is ${latest}`;
  return `${pattern} has no label ${label}; set it with \`damask publish\`, or name a version`;
}

/** The line of the place itself, or of what it is in. */
function lineOf(lines: Readonly<Record<string, number>>, place: string): number {
  for (let at = place; ; at = at.slice(0, at.lastIndexOf('/'))) {
    if (Object.hasOwn(lines, at)) return lines[at] as number;
    if (!at.includes('/')) return lines.steps ?? 1;
  }
}
