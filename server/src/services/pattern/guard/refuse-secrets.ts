import type { PatternFile } from '@damask/contracts/pattern.ts';
import { AppError } from '#platform/app-error.ts';
import { findSecrets } from '#platform/redact/find-secrets.ts';

const mostShown = 5;

export interface FoundSecret {
  /** From 1. */
  readonly line: number;
  /** Says what it is like and how to go on. */
  readonly detail: string;
}

/**
 * Secrets in a text that is to be stored for everybody to read. Short-lived tokens are none: documentation is full of them.
 */
export function findStoredSecrets(text: string): FoundSecret[] {
  return findSecrets(text)
    .map(({ start, end }) => ({ start, value: text.slice(start, end) }))
    .filter(({ value }) => !value.startsWith('eyJ'))
    .slice(0, mostShown)
    .map(({ start, value }) => ({
      line: text.slice(0, start).split('\n').length,
      detail: `holds what looks like a secret (${value.slice(0, 5)}...). Take it out: keys belong to providers (\`damask providers add\`), and everybody who may read this would read it. In an example write xxxxxx for its middle`,
    }));
}

/** The same for the files of a pattern, with the index of each. */
export function findFileSecrets(files: readonly PatternFile[]): { readonly file: number; readonly detail: string }[] {
  return files.flatMap(({ path, content }, file) =>
    findStoredSecrets(content).map(({ line, detail }) => ({ file, detail: `${path} line ${line}: ${detail}` })),
  );
}

/** Throws `policy_refused` where a text of this field holds a secret. */
export function refuseSecrets(text: string, pointer: string): void {
  const [first] = findStoredSecrets(text);
  if (first) throw new AppError('policy_refused', `Line ${first.line} ${first.detail}.`, { pointer });
}
