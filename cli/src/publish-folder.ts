import { statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { type Damask, DamaskError, type PatternFile, type PatternVersion } from '@damask/sdk';
import { InputError } from './input-error.ts';
import { isPattern } from './pattern-folder.ts';
import { readFolder } from './read-tree.ts';

export interface Published {
  readonly version: number;
  readonly digest: string;
  readonly warnings?: readonly PatternWarning[] | undefined;
}

type PatternWarning = NonNullable<PatternVersion['warnings']>[number];

export interface PatternFolder {
  /** The name of the folder. */
  readonly name: string;
  readonly files: readonly PatternFile[];
  readonly ignored: readonly { readonly path: string; readonly reason: string }[];
}

/** Reads the folder of one pattern, or that of its system.md or pattern.yaml. Throws InputError when it holds none. */
export function readPatternFolder(path: string): PatternFolder {
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  if (isFile && !['system.md', 'pattern.yaml'].includes(basename(path))) {
    throw new InputError(`${path} is no pattern. Name a folder with a system.md, or its system.md.`);
  }
  const folder = isFile ? dirname(path) : path;
  const { files, ignored } = readFolder(folder);
  if (!isPattern(files)) {
    throw new InputError(`${folder} has no system.md, and no pattern.yaml with steps. Name the folder of one pattern.`);
  }
  return { name: basename(resolve(folder)), files, ignored };
}

export interface Publication {
  readonly pattern: string;
  readonly files: readonly PatternFile[];
  readonly message?: string | undefined;
  /** Only check it. */
  readonly dry_run?: boolean | undefined;
}

/** Publishes a version, and creates the pattern when it is new. */
export async function publishOrCreate(damask: Damask, input: Publication): Promise<Published> {
  try {
    return await damask.patterns.publish(input);
  } catch (error) {
    if (!(error instanceof DamaskError) || error.code !== 'not_found') throw error;
    const { pattern, ...content } = input;
    return damask.patterns.create({ name: pattern, ...content });
  }
}

export async function publishFolder(
  damask: Damask,
  { folder, pattern, message }: { folder: string; pattern: string; message: string },
): Promise<Published> {
  return publishOrCreate(damask, { pattern, files: readPatternFolder(folder).files, message });
}
