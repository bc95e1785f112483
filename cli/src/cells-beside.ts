import { displayWidth } from './table.ts';

/** Texts in columns of the same width, wrapped between words, with `rule` between them. */
export function cellsBeside(texts: readonly string[], width: number, rule: string): string {
  const columns = texts.map((text) => text.split('\n').flatMap((line) => wrap(line, width)));
  const height = Math.max(...columns.map((lines) => lines.length));
  return Array.from({ length: height }, (_, row) =>
    columns
      .map((lines) => {
        const line = lines[row] ?? '';
        return line + ' '.repeat(Math.max(0, width - displayWidth(line)));
      })
      .join(rule)
      .trimEnd(),
  ).join('\n');
}

/** Lines of at most `width` columns; a word that is longer is cut. What a line begins with, such as a list's mark, stays. */
export function wrap(line: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  let used = 0;
  for (const piece of line.replaceAll('\t', '    ').match(/\s+|\S+/g) ?? []) {
    const room = displayWidth(piece);
    if (used + room > width && piece.trim() === '') {
      lines.push(current);
      [current, used] = ['', 0];
      continue;
    }
    if (used + room > width && used > 0 && room <= width) {
      lines.push(current.trimEnd());
      [current, used] = ['', 0];
    }
    for (const character of piece) {
      const columns = displayWidth(character);
      if (used + columns > width) {
        lines.push(current);
        [current, used] = ['', 0];
      }
      current += character;
      used += columns;
    }
  }
  return [...lines, current.trimEnd()];
}
