import { type Cell, type Column, renderTable } from './table.ts';
import type { Terminal } from './terminal.ts';

export interface ListView<Row> {
  readonly columns: readonly Column[];
  readonly row: (row: Row) => readonly Cell[];
  /** What to say, on stderr, when there is nothing. */
  readonly empty: string;
}

/** Prints rows as a table that fits the terminal, or as JSON. */
export async function printList<Row>(
  terminal: Terminal,
  json: boolean | undefined,
  rows: readonly Row[],
  view: ListView<Row>,
): Promise<void> {
  if (json) return terminal.print(JSON.stringify(rows, null, 2));
  if (rows.length === 0) return terminal.note(view.empty);
  const { width } = terminal;
  await terminal.print(
    renderTable(
      view.columns,
      rows.map((row) => view.row(row)),
      width,
      (style, text) => terminal.paint(style, text),
    ),
  );
}
