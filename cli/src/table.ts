import { printable, type Style } from './terminal.ts';

export interface Column {
  readonly title: string;
  readonly right?: true;
  /** May be cut to this width when the terminal is narrow. */
  readonly least?: number;
  /** May be left out when the terminal is narrow; the lowest number goes first. */
  readonly drop?: number;
}

export type Cell = string | { readonly text: string; readonly style: Style };

const gap = '  ';

/** Lines of a table that fits `width` columns as far as its columns allow; undefined means all the room there is. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number | undefined,
  paint: (style: Style, text: string) => string,
): string {
  const natural = columns.map((column, i) =>
    Math.max(displayWidth(column.title), ...rows.map((row) => displayWidth(textOf(row[i])))),
  );
  const widths = width === undefined ? natural : fit(columns, natural, width);
  const line = (cells: readonly Cell[]) =>
    columns
      .flatMap((column, i) => {
        const room = widths[i] ?? 0;
        if (room === 0) return [];
        const cell = cells[i] ?? '';
        const text = cut(textOf(cell), room);
        const space = ' '.repeat(Math.max(0, room - displayWidth(text)));
        const painted = typeof cell === 'string' ? text : paint(cell.style, text);
        return [column.right ? space + painted : painted + space];
      })
      .join(gap)
      .trimEnd();
  const head = columns.map(({ title }) => ({ text: title, style: 'bold' as const }));
  return [head, ...rows].map(line).join('\n');
}

/** Widths of the columns; 0 for one that is left out. */
function fit(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  const used = () => widths.reduce((sum, one) => sum + (one > 0 ? one + gap.length : 0), -gap.length);
  const shrink = () => {
    for (let over = used() - width; over > 0; over--) {
      const widest = columns.reduce((best, { least }, i) => {
        const room = least === undefined ? 0 : (widths[i] ?? 0) - least;
        return room > 0 && (best < 0 || (widths[i] ?? 0) > (widths[best] ?? 0)) ? i : best;
      }, -1);
      if (widest < 0) return;
      widths[widest] = (widths[widest] ?? 0) - 1;
    }
  };
  shrink();
  const dropOrder = columns.flatMap(({ drop }, i) => (drop === undefined ? [] : [{ drop, i }]));
  for (const { i } of dropOrder.sort((a, b) => a.drop - b.drop)) {
    if (used() <= width) break;
    widths[i] = 0;
    for (const [j, one] of natural.entries()) if ((widths[j] ?? 0) > 0) widths[j] = one;
    shrink();
  }
  return widths;
}

function textOf(cell: Cell | undefined): string {
  const text = typeof cell === 'string' ? cell : (cell?.text ?? '');
  return printable(text).replace(/\s+/g, ' ').trim();
}

function cut(text: string, room: number): string {
  if (displayWidth(text) <= room) return text;
  let result = '';
  let used = 0;
  for (const character of text) {
    used += displayWidth(character);
    if (used > room - 1) break;
    result += character;
  }
  return `${result}…`;
}

/** Columns that a text takes on a terminal: East Asian wide characters and emoji take two, marks none. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) {
    if (/^[\p{Mn}\p{Me}\p{Cf}]$/u.test(character)) continue;
    width += wide.test(character) ? 2 : 1;
  }
  return width;
}

const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}]$/u;
