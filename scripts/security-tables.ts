import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCsvTable } from './csv-table.ts';

/** A test that a table names: where it is, from the root, and its title. */
export interface NamedTest {
  readonly file: string;
  readonly title: string;
}

/** One requirement of ASVS 5.0.0, and what the platform does about it. */
export interface Requirement {
  readonly id: string;
  readonly level: string;
  /** `part`: it applies, and only what `control` says is there. */
  readonly applies: 'yes' | 'part' | 'no';
  /** What is missing, or why it does not apply: `does not apply: ...`, `not met: ...`. */
  readonly whyNot: string;
  readonly control: string;
  readonly tests: readonly NamedTest[];
}

/** One theme of the standards for companies. */
export interface Control {
  readonly theme: string;
  readonly soc2: string;
  readonly iso27001: string;
  readonly gdpr: string;
  readonly pci: string;
  readonly feature: string;
  readonly state: 'there' | 'partly' | 'not there';
  /** A command, or a file of the archive that `damask evidence export` writes. */
  readonly evidence: string;
  readonly tests: readonly NamedTest[];
}

const read = (root: string, name: string) => readCsvTable(readFileSync(join(root, 'docs/security', name), 'utf8'));

/** `docs/security/asvs.csv` of the house in the folder `root`. */
export const readRequirements = (root: string): Requirement[] =>
  read(root, 'asvs.csv').map(
    ({ why_not, test, ...row }) => ({ ...row, whyNot: why_not, tests: testsOf(test) }) as unknown as Requirement,
  );

/** `docs/security/controls.csv` of the house in the folder `root`. */
export const readControls = (root: string): Control[] =>
  read(root, 'controls.csv').map(({ test, ...row }) => ({ ...row, tests: testsOf(test) }) as unknown as Control);

/** `file::title`, several with ` | ` between them. */
export function testsOf(cell = ''): NamedTest[] {
  if (cell === '') return [];
  return cell.split(' | ').map((one) => {
    const mark = one.indexOf('::');
    if (mark < 1) throw new Error(`"${one}" is no test: file::title`);
    return { file: one.slice(0, mark), title: one.slice(mark + 2) };
  });
}
