import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const steps = /^["']?steps["']?\s*:/m;

/** Whether files are those of a pattern: a system.md, or a pattern.yaml with the steps of a chain. */
export function isPattern(files: readonly { readonly path: string; readonly content: string }[]): boolean {
  return files.some(({ path, content }) => path === 'system.md' || (path === 'pattern.yaml' && steps.test(content)));
}

/** Whether a folder on the disk is that of a pattern. */
export function holdsPattern(folder: string): boolean {
  if (existsSync(join(folder, 'system.md'))) return true;
  try {
    return steps.test(readFileSync(join(folder, 'pattern.yaml'), 'utf8'));
  } catch {
    return false;
  }
}

/** The file that says what a pattern does. */
export const mainFileOf = (files: readonly { readonly path: string }[]): string =>
  files.some(({ path }) => path === 'system.md') ? 'system.md' : 'pattern.yaml';
