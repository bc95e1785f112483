import { createHash } from 'node:crypto';
import type { PatternFile } from '@damask/contracts/pattern.ts';
import type { IncludedText } from '../template/composition.ts';

/** The files of a pattern that a run reads. All others go with a version without changing what it answers. */
export const runFiles: ReadonlySet<string> = new Set(['system.md', 'pattern.yaml']);

/** `sha256:<hex>` over path, size in bytes and hash of each file, in the order of the paths. */
export function digestFiles(files: readonly PatternFile[]): string {
  const lines = files
    .map((file) => `${file.path}\0${Buffer.byteLength(file.content)}\0${sha256(file.content)}\n`)
    .sort();
  return `sha256:${sha256(`damask-pattern-1\n${lines.join('')}`)}`;
}

/** What a run reads beside system.md and pattern.yaml. */
export interface AlsoRead {
  readonly schemaFile?: string | undefined;
  readonly included?: readonly IncludedText[];
}

/** The digest of what affects a run: two versions that share it answer alike. */
export function digestOfRun(files: readonly PatternFile[], { schemaFile, included = [] }: AlsoRead = {}): string {
  const read = files.filter((file) => runFiles.has(file.path) || file.path === schemaFile);
  // No file can have this name. Of an included text its words count, not the number of its version.
  const texts = { path: '>included', content: JSON.stringify(included.map(wordsOf)) };
  return digestFiles(included.length === 0 ? read : [...read, texts]);
}

function wordsOf({ text, template, variables, literal_tokens, included }: IncludedText): unknown {
  return [text, template, variables, literal_tokens, included.map(wordsOf)];
}

/** `sha256:<hex>` of one text. */
export function digestText(text: string): string {
  return `sha256:${sha256(text)}`;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** The digest of what a strategy says. */
export function digestStrategy(strategy: { readonly description: string; readonly prompt: string }): string {
  return digestText(JSON.stringify([strategy.description, strategy.prompt]));
}
