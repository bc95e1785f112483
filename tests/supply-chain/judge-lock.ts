import { lockedPackages, type PackageLock } from '../../scripts/package-locks.ts';

/** Licences that the house takes, each alone or as one of a choice. */
export const takenLicences: ReadonlySet<string> = new Set([
  ...['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0', 'Zlib'],
]);

export interface Rules {
  /** Names of packages that somebody has looked at. */
  readonly names: readonly string[];
  /** Packages that have a script for their installation, which never runs. */
  readonly scripts: Readonly<Record<string, boolean>>;
}

/** What is wrong with lock files, a sentence each. */
export function judgeLocks(locks: readonly PackageLock[], rules: Rules): string[] {
  const names = new Set(rules.names);
  const wrong = locks
    .filter(({ lockfileVersion }) => lockfileVersion !== 3)
    .map(({ part }) => `${part}: not version 3`);
  for (const one of lockedPackages(locks)) {
    const { part, name, path, version, integrity, resolved, license } = one;
    const say = (what: string) => wrong.push(`${part}: ${path}: ${what}`);
    if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? '')) say('it has no sha512 hash');
    // Without an address each installation takes it from its own registry, and the hash says whether it is the one.
    if (resolved !== undefined) say(`it comes from ${resolved.slice(0, 60)}`);
    if (!/^\d+\.\d+\.\d+([-+][\w.-]+)?$/.test(version ?? '')) say(`its version is ${version}`);
    if (!names.has(name)) say(`nobody has looked at ${name}${nearOf(name, names)}`);
    if (one.name !== path.replace(/^.*node_modules\//, '')) say(`it is ${one.name} under another name`);
    if (one.hasInstallScript && rules.scripts[name] === undefined) say('it has an install script');
    if (!isTaken(license)) say(`its licence is ${license ?? 'not told'}`);
  }
  for (const [name, runs] of Object.entries(rules.scripts)) if (runs) wrong.push(`the install script of ${name} runs`);
  return wrong;
}

/** `A OR B`: one of them; `(A AND B)`: both. */
export function isTaken(expression: string | undefined): boolean {
  if (expression === undefined) return false;
  const bare = expression.replace(/^\((.*)\)$/, '$1');
  if (/[()]/.test(bare)) return false;
  return bare.split(' OR ').some((choice) => choice.split(' AND ').every((licence) => takenLicences.has(licence)));
}

function nearOf(name: string, names: ReadonlySet<string>): string {
  const near = [...names].find((known) => known !== name && isNear(known, name));
  return near === undefined ? '' : `, which looks like ${near}`;
}

/** One letter more, less, other or exchanged with its neighbour, or other signs between the same letters. */
export function isNear(one: string, other: string): boolean {
  const bare = (name: string) => name.replace(/[-_.@/]|js$/g, '');
  if (bare(one) === bare(other)) return true;
  const [short, long] = one.length <= other.length ? [one, other] : [other, one];
  if (long.length - short.length > 1) return false;
  let at = 0;
  while (at < short.length && short[at] === long[at]) at += 1;
  const rest = (text: string, from: number) => text.slice(from);
  if (long.length > short.length) return rest(short, at) === rest(long, at + 1);
  const exchanged = short[at] === long[at + 1] && short[at + 1] === long[at];
  return rest(short, at + 1) === rest(long, at + 1) || (exchanged && rest(short, at + 2) === rest(long, at + 2));
}
