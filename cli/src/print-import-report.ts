import type { Damask, ImportOutcome, ImportReport } from '@damask/sdk';
import { formatNumber } from './figures.ts';
import type { Decided } from './import-conversations.ts';
import { showDifference } from './show-difference.ts';
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
  refused: 'red',
};
const most = 50;

export interface WholeReport extends ImportReport {
  readonly contexts: readonly Decided[];
  readonly sessions: readonly Decided[];
}

/** Prints what an import did: the counts, then only what a person should look at, then how conflicts differ. */
export async function printImportReport(terminal: Terminal, damask: Damask, report: WholeReport): Promise<void> {
  const { commit } = report.source;
  const lines = [
    ...(commit === undefined ? [] : [terminal.paint('dim', `commit ${commit}`)]),
    `${formatNumber(report.patterns.length, 'pattern')}${counts(report.patterns)}`,
    ...(report.strategies.length > 0
      ? [`${formatNumber(report.strategies.length, 'strategy')}${counts(report.strategies)}`]
      : []),
    ...others('context', report.contexts),
    ...others('session', report.sessions),
    ...notable(terminal, report.patterns),
    ...ignoredLines(terminal, report),
    ...(report.committed ? [] : ['', 'Nothing was changed: this was a dry run.']),
  ];
  await terminal.print(lines.join('\n'));
  for (const { name, incoming } of report.patterns) {
    if (!incoming) continue;
    const { version } = await damask.patterns.read({ pattern: name });
    const { files } = await damask.patterns.readVersion({ pattern: name, version });
    await terminal.print('');
    await showDifference(
      terminal,
      { name: `${name}@${version}`, files },
      { name: `${name} as imported`, files: incoming },
    );
  }
}

function others(what: string, decided: readonly Decided[]): string[] {
  if (decided.length === 0) return [];
  const conflicts = decided.filter(({ outcome }) => outcome === 'conflict').map(({ name }) => name);
  const named = conflicts.length > 0 ? ` (${conflicts.slice(0, 5).join(', ')}: choose --keep or --replace)` : '';
  return [`${formatNumber(decided.length, what)}${counts(decided)}${named}`];
}

function counts(rows: readonly { readonly outcome: ImportOutcome }[]): string {
  const tally = new Map<ImportOutcome, number>();
  for (const { outcome } of rows) tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
  const parts = [...tally].map(([outcome, count]) => `${count} ${outcome}`);
  return parts.length > 0 ? `: ${parts.join(', ')}` : '';
}

function notable(terminal: Terminal, rows: readonly Row[]): string[] {
  const shown = rows.filter(
    ({ outcome, literal_tokens, disabled_capabilities, warnings }) =>
      (outcome !== 'new' && outcome !== 'same') ||
      [literal_tokens, disabled_capabilities, warnings ?? []].some(({ length }) => length > 0),
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

function cells({
  name,
  outcome,
  version,
  literal_tokens,
  disabled_capabilities,
  warnings = [],
  detail = '',
}: Row): Cell[] {
  const notes = [
    detail,
    ...warnings.slice(0, 2).map((warning) => `${warning.file} line ${warning.line} ${warning.detail}`),
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

function ignoredLines(terminal: Terminal, { ignored, ignored_total: total }: ImportReport): string[] {
  if (ignored.length === 0) return [];
  const groups = new Map<string, { path: string }[]>();
  for (const file of ignored) groups.set(file.reason, [...(groups.get(file.reason) ?? []), file]);
  const lines = [...groups].map(([reason, files]) => {
    const names = files.slice(0, 3).map(({ path }) => path);
    const all = total > ignored.length ? 'many' : files.length;
    const rest = files.length > names.length ? `, ... (${all} in all)` : '';
    return printable(`  ${reason}: ${names.join(', ')}${rest}`);
  });
  return ['', terminal.paint('bold', `${formatNumber(total, 'file')} left out`), ...lines];
}
