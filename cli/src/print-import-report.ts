import type { ImportOutcome, ImportReport } from '@damask/sdk';
import { formatNumber } from './figures.ts';
import { type Cell, renderTable } from './table.ts';
import { printable, type Style, type Terminal } from './terminal.ts';

type Row = ImportReport['patterns'][number];

const styles: Readonly<Record<ImportOutcome, Style>> = {
  new: 'green',
  same: 'dim',
  changed: 'cyan',
  conflict: 'red',
  kept: 'yellow',
  replaced: 'yellow',
};
const most = 50;

/** Prints what an import did: the counts, then only what a person should look at. */
export async function printImportReport(terminal: Terminal, report: ImportReport): Promise<void> {
  const lines = [
    `${formatNumber(report.patterns.length, 'pattern')}${counts(report.patterns)}`,
    ...(report.strategies.length > 0
      ? [`${formatNumber(report.strategies.length, 'strategy')}${counts(report.strategies)}`]
      : []),
    ...notable(terminal, report.patterns),
    ...ignoredLines(terminal, report.ignored),
    ...(report.committed ? [] : ['', 'Nothing was changed: this was a dry run.']),
  ];
  await terminal.print(lines.join('\n'));
}

function counts(rows: readonly { readonly outcome: ImportOutcome }[]): string {
  const tally = new Map<ImportOutcome, number>();
  for (const { outcome } of rows) tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
  const parts = [...tally].map(([outcome, count]) => `${count} ${outcome}`);
  return parts.length > 0 ? `: ${parts.join(', ')}` : '';
}

function notable(terminal: Terminal, rows: readonly Row[]): string[] {
  const shown = rows.filter(
    ({ outcome, literal_tokens, disabled_capabilities }) =>
      (outcome !== 'new' && outcome !== 'same') || literal_tokens.length > 0 || disabled_capabilities.length > 0,
  );
  if (shown.length === 0) return [];
  const table = renderTable(
    [
      { title: 'PATTERN', least: 16 },
      { title: 'OUTCOME' },
      { title: 'VERSION', right: true },
      { title: 'NOTE', least: 20 },
    ],
    shown.slice(0, most).map((row) => cells(row)),
    terminal.width,
    (style, text) => terminal.paint(style, text),
  );
  const rest = shown.length > most ? [`... and ${shown.length - most} more: --json lists all`] : [];
  return ['', table, ...rest];
}

function cells({ name, outcome, version, literal_tokens, disabled_capabilities }: Row): Cell[] {
  const notes = [
    outcome === 'conflict' ? 'edited here: choose --keep or --replace' : '',
    disabled_capabilities.length > 0 ? `cannot run, needs ${some(disabled_capabilities)}` : '',
    literal_tokens.length > 0 ? `stays as text: ${some(literal_tokens)}` : '',
  ];
  return [
    name,
    { text: outcome, style: styles[outcome] },
    version === null ? '-' : String(version),
    notes.filter(Boolean).join('; '),
  ];
}

function some(tokens: readonly string[]): string {
  const rest = tokens.length - 3;
  return rest > 1 ? `${tokens.slice(0, 3).join(' ')} and ${rest} more` : tokens.join(' ');
}

function ignoredLines(terminal: Terminal, ignored: ImportReport['ignored']): string[] {
  if (ignored.length === 0) return [];
  const groups = new Map<string, { path: string }[]>();
  for (const file of ignored) groups.set(file.reason, [...(groups.get(file.reason) ?? []), file]);
  const lines = [...groups].map(([reason, files]) => {
    const names = files.slice(0, 3).map(({ path }) => path);
    const rest = files.length > names.length ? `, ... (${files.length} in all)` : '';
    return printable(`  ${reason}: ${names.join(', ')}${rest}`);
  });
  return ['', terminal.paint('bold', `${formatNumber(ignored.length, 'file')} left out`), ...lines];
}
