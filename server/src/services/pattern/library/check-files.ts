import { fileLimit, type PatternFile } from '@damask/contracts/pattern.ts';
import { faultOfPath, findTwins } from './check-paths.ts';
import { quoteText } from './quote-text.ts';

export interface FileProblem {
  /** Index of the file, or null when the folder as a whole is wrong. */
  readonly file: number | null;
  readonly detail: string;
  /** What is wrong is a secret: an import leaves this pattern out, and goes on. */
  readonly secret?: true;
}

export const filesAllowed = 100;
const bytesAllowed = 4 * 1024 * 1024;
// The largest real pattern has about 300; reading 5,000 takes some 10 ms.
const bracesAllowed = 5000;

/** What is wrong with a folder of files before any of them is read. */
export function findFileProblems(files: readonly PatternFile[]): FileProblem[] {
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
    if (path === 'system.md' && countBraces(content) > bracesAllowed)
      problems.push({ file, detail: `system.md holds more than ${bracesAllowed} "{{"` });
  }
  if (bytes > bytesAllowed) problems.push({ file: null, detail: `a pattern holds at most ${bytesAllowed} bytes` });
  const paths = files.map((file) => file.path);
  if (!paths.includes('system.md') && !files.some(mayBeChain)) {
    problems.push({ file: null, detail: 'system.md is missing; it holds the prompt' });
  }
  for (const { index, detail } of findTwins(paths)) {
    problems.push({ file: index, detail: `the path ${quoteText(paths[index] ?? '')} ${detail}` });
  }
  return problems;
}

/** Whether pattern.yaml looks like that of a chain, which has no system.md: how it is read says the rest. */
const mayBeChain = ({ path, content }: PatternFile) => path === 'pattern.yaml' && /^["']?steps["']?\s*:/m.test(content);

function countBraces(text: string): number {
  let count = 0;
  for (let at = text.indexOf('{{'); at !== -1 && count <= bracesAllowed; at = text.indexOf('{{', at + 1)) count++;
  return count;
}
