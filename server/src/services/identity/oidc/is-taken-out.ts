import type { Listed } from './person-store.ts';

/**
 * Whether the directory (SCIM) has taken somebody out. What it says of the id goes before what it says of an address,
 * which others may have had before.
 */
export function isTakenOut(listed: readonly Listed[]): boolean {
  const named = listed.filter((one) => one.named);
  const said = named.length > 0 ? named : listed;
  return said.length > 0 && said.every((one) => one.removed);
}
