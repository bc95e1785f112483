import { readCsv } from './csv-text.ts';

/** A control of the standards, with whether its evidence is in the archive. */
export interface Control {
  readonly theme: string;
  readonly soc2: string;
  readonly iso27001: string;
  readonly gdpr: string;
  readonly pci: string;
  readonly feature: string;
  readonly state: string;
  readonly evidence: string;
  readonly test: string;
  /** `part`: some of its files. `elsewhere`: a command or a page shows it, no file. `none`: none is named. */
  readonly in_archive: 'yes' | 'part' | 'no' | 'elsewhere' | 'none';
  readonly missing: readonly string[];
  /** Of the tests that it names, as the results in the archive have them; `unknown`: not all of them are in there. */
  readonly tests: 'passed' | 'failed' | 'unknown' | 'none';
}

export const controlColumns = [
  ...(['theme', 'soc2', 'iso27001', 'gdpr', 'pci', 'feature', 'state', 'evidence', 'test'] as const),
  ...(['in_archive', 'missing', 'tests'] as const),
] as const;

/**
 * Holds the list of controls against what there is. Evidence is named by how paths begin, by pages or commands; tests by `file::title`, several
 * with | between them. `results` has what became of tests, by the same names.
 */
export function judgeControls(csv: string, paths: readonly string[], results: ReadonlyMap<string, string>): Control[] {
  return readCsv(csv).map((row) => {
    const { theme = '', soc2 = '', iso27001 = '', gdpr = '', pci = '' } = row;
    const { feature = '', state = '', evidence = '', test = '' } = row;
    const named = partsOf(evidence);
    const files = named.filter((one) => !isElsewhere(one));
    const missing = files.filter((file) => !paths.some((path) => path.startsWith(file)));
    const in_archive = judge(files.length, missing.length, named.length);
    const tests = judgeTests(partsOf(test).map((name) => results.get(name)));
    return { theme, soc2, iso27001, gdpr, pci, feature, state, evidence, test, in_archive, missing, tests };
  });
}

const partsOf = (cell: string) =>
  cell
    .split(' | ')
    .map((one) => one.trim())
    .filter((one) => one !== '' && one !== '-');
const isElsewhere = (text: string) => /^((damask|npm) |docs\/)/.test(text);

function judge(files: number, missing: number, named: number): Control['in_archive'] {
  if (files === 0) return named > 0 ? 'elsewhere' : 'none';
  if (missing === 0) return 'yes';
  return missing < files ? 'part' : 'no';
}

function judgeTests(results: readonly (string | undefined)[]): Control['tests'] {
  if (results.length === 0) return 'none';
  if (results.includes('failed')) return 'failed';
  return results.every((one) => one === 'passed') ? 'passed' : 'unknown';
}
