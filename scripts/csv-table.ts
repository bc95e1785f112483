/**
 * The rows of a table kept by hand, each by the names of its head. Cells with commas stand in quotes, and a quote within
 * them twice; a line that begins with # is for people. Throws on a row that has not as many cells as the head.
 */
export function readCsvTable(text: string): Readonly<Record<string, string>>[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const [head = [], ...rows] = lines.map(cellsOf);
  return rows.map((cells, at) => {
    if (cells.length !== head.length) {
      throw new Error(`Row ${at + 1} has ${cells.length} cells, ${head.length} are needed: ${lines[at + 1]}`);
    }
    return Object.fromEntries(head.map((name, column) => [name, cells[column] ?? '']));
  });
}

function cellsOf(line: string): string[] {
  const cells: string[] = [];
  for (const [, quoted, plain] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/g)) {
    cells.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
  }
  return cells;
}
