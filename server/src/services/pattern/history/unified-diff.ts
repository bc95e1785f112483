import type { FileDiff } from '@damask/contracts/history.ts';
import { type Edit, shortestEdit } from './shortest-edit.ts';

const around = 3;
const linesAllowed = 20_000;
const noNewline = '\\ No newline at end of file\n';

interface Hunk {
  readonly from: number;
  to: number;
}

/** What changed in one text, as `diff -u` writes it, with at most `most` characters. Undefined stands for no file. */
export async function unifiedDiff(
  path: string,
  before: string | undefined,
  after: string | undefined,
  most: number,
): Promise<FileDiff> {
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  const [old, fresh] = [linesOf(before ?? ''), linesOf(after ?? '')];
  if (old.length > linesAllowed || fresh.length > linesAllowed) {
    return { path, change, added: fresh.length, removed: old.length, diff: '', cut: true };
  }
  const edits = await shortestEdit(old, fresh);
  const count = (kind: Edit['kind']) => edits.filter((edit) => edit.kind === kind).length;
  const name = (side: string, text: string | undefined) => (text === undefined ? '/dev/null' : `${side}/${path}`);
  let diff = `--- ${name('a', before)}\n+++ ${name('b', after)}\n`;
  let cut = false;
  for (const hunk of hunksOf(edits)) {
    const text = writeHunk(edits, hunk);
    cut = diff.length + text.length > most;
    if (cut) {
      // Whole lines only, and never half a character.
      const piece = text.slice(0, Math.max(0, most - diff.length));
      diff += piece.slice(0, piece.lastIndexOf('\n') + 1);
      break;
    }
    diff += text;
  }
  return { path, change, added: count('+'), removed: count('-'), diff, cut };
}

/** Lines with their line breaks; the last one may have none. */
function linesOf(text: string): string[] {
  const lines: string[] = [];
  for (let from = 0; from < text.length && lines.length <= linesAllowed; ) {
    const newline = text.indexOf('\n', from);
    const to = newline === -1 ? text.length : newline + 1;
    lines.push(text.slice(from, to));
    from = to;
  }
  return lines;
}

function hunksOf(edits: readonly Edit[]): Hunk[] {
  const hunks: Hunk[] = [];
  for (const [index, { kind }] of edits.entries()) {
    if (kind === ' ') continue;
    const last = hunks.at(-1);
    const to = Math.min(edits.length, index + around + 1);
    if (last && index - around <= last.to) last.to = to;
    else hunks.push({ from: Math.max(0, index - around), to });
  }
  return hunks;
}

function writeHunk(edits: readonly Edit[], { from, to }: Hunk): string {
  const inside = edits.slice(from, to);
  const upTo = (end: number, kind: Edit['kind']) => edits.slice(0, end).filter((edit) => edit.kind !== kind).length;
  const range = (kind: '-' | '+') => {
    const other = kind === '-' ? '+' : '-';
    const length = inside.filter((edit) => edit.kind !== other).length;
    const start = upTo(from, other) + (length === 0 ? 0 : 1);
    return length === 1 ? `${start}` : `${start},${length}`;
  };
  const lines = inside.map(({ kind, line }) => `${kind}${line}${line.endsWith('\n') ? '' : `\n${noNewline}`}`);
  return `@@ -${range('-')} +${range('+')} @@\n${lines.join('')}`;
}
