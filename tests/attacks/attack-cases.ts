import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface AttackCase {
  /** As in the list of attacks: `Z` authorisation, `A` authentication, `U` calls out, `S` secrets, `SC` supply chain. */
  readonly id: string;
  readonly attack: string;
  /** Where its test is, from the root; empty where there is no subject yet. */
  readonly file: string;
  readonly title: string;
  /** What would be its subject: `path:`, `field:` or `column:` and a regular expression. */
  readonly until: string;
}

/** The hand-kept table beside this file. A cell that holds a comma stands in quotes. */
export function readAttackCases(): AttackCase[] {
  const [, ...rows] = readFileSync(join(import.meta.dirname, 'cases.csv'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return rows.map((row) => {
    const cells = [...row.matchAll(/(?:^|,)(?:"([^"]*)"|([^",]*))/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
    const [id, attack, file, title, until, ...more] = cells;
    if (until === undefined || more.length > 0) throw new Error(`cases.csv: "${row}" has not five cells`);
    return { id, attack, file, title, until } as AttackCase;
  });
}

/** The titles of the tests of a file, those of its table of rules too. */
export function titlesOf(source: string): string[] {
  return [...source.matchAll(/^\s*(?:test\(|name:)\s*(['"`])((?:\\.|(?!\1).)*)\1/gm)].map(
    (match) => match[2] as string,
  );
}
