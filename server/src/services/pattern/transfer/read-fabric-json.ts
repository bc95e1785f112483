import { namePattern } from '@damask/contracts/field.ts';
import { digestStrategy } from '../library/digest.ts';
import type { KnownAbout } from '../library/version-content.ts';

export interface ImportedStrategy {
  readonly name: string;
  readonly description: string;
  readonly prompt: string;
  /** Tells whether a stored strategy is the same. */
  readonly digest: string;
}

const legalName = new RegExp(namePattern);

/** One of Fabric's strategies: a JSON object with `prompt` and perhaps `description`. */
export function readStrategy(name: string, text: string): { strategy?: ImportedStrategy; fault?: string } {
  if (!legalName.test(name)) return { fault: 'the file name cannot name a strategy' };
  const value = parseObject(text);
  if (!value) return { fault: 'is not a JSON object' };
  const { prompt, description = '' } = value;
  if (typeof prompt !== 'string' || prompt.trim() === '') return { fault: '"prompt" must be a text' };
  if (typeof description !== 'string') return { fault: '"description" must be a text' };
  if (prompt.length > 65_536 || description.length > 500) return { fault: '"prompt" or "description" is too long' };
  if (!storable(prompt) || !storable(description)) return { fault: 'holds NUL or broken characters' };
  return { strategy: { name, description, prompt, digest: digestStrategy({ description, prompt }) } };
}

/** Fabric's `pattern_descriptions.json`: description and tags by name of pattern. Entries of unknown shape are left out. */
export function readDescriptions(text: string): { known: ReadonlyMap<string, KnownAbout>; fault?: string } {
  const known = new Map<string, KnownAbout>();
  const patterns = parseObject(text)?.patterns;
  if (!Array.isArray(patterns)) return { known, fault: 'is not a JSON object with a list "patterns"' };
  for (const entry of patterns as unknown[]) {
    if (typeof entry !== 'object' || entry === null) continue;
    const { patternName, description, tags } = entry as Record<string, unknown>;
    if (typeof patternName !== 'string') continue;
    known.set(patternName, {
      ...(typeof description === 'string' &&
        storable(description) && { description: description.slice(0, 2000).toWellFormed() }),
      ...(Array.isArray(tags) && { tags: tags.filter(isTag).slice(0, 20) }),
    });
  }
  return { known };
}

const isTag = (tag: unknown): tag is string =>
  typeof tag === 'string' && tag !== '' && tag.length <= 50 && storable(tag);
const storable = (text: string) => !text.includes('\0') && text.isWellFormed();

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    // Editors on Windows write a byte order mark.
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
