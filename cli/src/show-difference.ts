import type { PatternFile } from '@damask/sdk';
import { type DiffLine, diffLines } from './line-diff.ts';
import { printable, type Style, type Terminal } from './terminal.ts';

export interface Side {
  /** How the heading calls it: `summarize@3`, `./summarize`. */
  readonly name: string;
  readonly files: readonly PatternFile[];
}

const around = 3;
const styles: Readonly<Partial<Record<DiffLine['kind'], Style>>> = { '-': 'red', '+': 'green' };

/** Prints how two states of a pattern differ, as patches do, with colours on a terminal. Resolves to whether they do. */
export async function showDifference(terminal: Terminal, from: Side, to: Side): Promise<boolean> {
  const paths = [...new Set([...from.files, ...to.files].map(({ path }) => path))].sort();
  const parts = paths.flatMap((path) => differenceOf(terminal, path, from, to));
  if (parts.length > 0) await terminal.print(parts.join('\n'));
  return parts.length > 0;
}

/** A line of a patch in the colour of its kind. */
export function paintDiffLine(paint: Terminal['paint'], line: string): string {
  const text = printable(line);
  if (text.startsWith('@@')) return paint('cyan', text);
  const style = styles[text.charAt(0) as DiffLine['kind']];
  return style ? paint(style, text) : text;
}

function differenceOf({ paint }: Terminal, path: string, from: Side, to: Side): string[] {
  const [before, after] = [from, to].map(({ files }) => files.find((file) => file.path === path)?.content);
  if (before === after) return [];
  const title = (mark: string, side: Side, text: string | undefined) =>
    paint('bold', `${mark} ${text === undefined ? 'nothing' : `${printable(side.name)}/${printable(path)}`}`);
  const lines = diffLines(linesOf(before), linesOf(after));
  return [title('---', from, before), title('+++', to, after), ...hunks(lines, paint)];
}

function hunks(lines: readonly DiffLine[], paint: Terminal['paint']): string[] {
  const shown = new Set<number>();
  for (const [index, { kind }] of lines.entries()) {
    if (kind === ' ') continue;
    for (let i = index - around; i <= index + around; i++) if (i >= 0 && i < lines.length) shown.add(i);
  }
  const result: string[] = [];
  const at = { before: 1, after: 1 };
  for (const [index, { kind, text }] of lines.entries()) {
    if (shown.has(index)) {
      if (!shown.has(index - 1)) result.push(paintDiffLine(paint, heading(lines, index, shown, at)));
      result.push(paintDiffLine(paint, `${kind}${text}`));
    }
    if (kind !== '+') at.before += 1;
    if (kind !== '-') at.after += 1;
  }
  return result;
}

function heading(
  lines: readonly DiffLine[],
  start: number,
  shown: ReadonlySet<number>,
  at: { readonly before: number; readonly after: number },
): string {
  let [before, after] = [0, 0];
  for (let i = start; shown.has(i); i++) {
    if (lines[i]?.kind !== '+') before += 1;
    if (lines[i]?.kind !== '-') after += 1;
  }
  return `@@ -${before === 0 ? at.before - 1 : at.before},${before} +${after === 0 ? at.after - 1 : at.after},${after} @@`;
}

function linesOf(text: string | undefined): string[] {
  if (text === undefined || text === '') return [];
  if (text.endsWith('\n')) return text.slice(0, -1).split('\n');
  const lines = text.split('\n');
  return [...lines.slice(0, -1), `${lines.at(-1)}  (no line end)`];
}
