import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the whole repository, without a slash at its end. */
export const houseRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

export interface HouseFile {
  /** From the root of the house. */
  readonly path: string;
  readonly text: string;
}

let files: readonly HouseFile[] | undefined;

/** Text files that are tracked or would be: not ignored, and there. */
export function houseFiles(): readonly HouseFile[] {
  files ??= readHouse();
  return files;
}

function readHouse(): HouseFile[] {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: houseRoot,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const paths = [...new Set(list.split('\0'))].filter((path) => path && existsSync(join(houseRoot, path)));
  return paths.flatMap((path) => {
    const text = readFileSync(join(houseRoot, path), 'utf8');
    return text.includes('\0') ? [] : [{ path, text }];
  });
}

/** TypeScript and JavaScript of ours, without what is generated. */
export function sourceFiles(): HouseFile[] {
  return houseFiles().filter(({ path }) => /\.(ts|mjs)$/.test(path) && !path.endsWith('/generated.ts'));
}

/** True for tests and for what only tests use. */
export function isTestCode(path: string): boolean {
  return (
    /\.test\.ts$|-for-tests\.ts$|(^|\/)(test|tests|testing|fixtures|bench)\//.test(path) ||
    /^server\/src\/services\/pattern\/(model\/local\/test-[^/]+|library\/hostile-text)\.ts$/.test(path)
  );
}

/** Where in a text an expression matches, as `path:line: words`. */
export function findings(file: HouseFile, expression: RegExp): string[] {
  return [...file.text.matchAll(new RegExp(expression.source, `${expression.flags.replace('g', '')}g`))].map(
    (match) => {
      const line = file.text.slice(0, match.index).split('\n').length;
      return `${file.path}:${line}: ${match[0].trim().slice(0, 100)}`;
    },
  );
}
