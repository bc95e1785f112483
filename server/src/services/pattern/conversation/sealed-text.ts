import type { Vault } from '#platform/vault.ts';

/** Where a text is stored; moved elsewhere it cannot be opened. */
export interface TextPlace {
  readonly table: 'pattern.context' | 'pattern.turn';
  readonly row: string;
}

/** Needs the vault to be ready for the workspace. */
export async function sealText(vault: Vault, workspace: string, place: TextPlace, text: string): Promise<Buffer> {
  return vault.seal(workspace, { ...place, column: 'content' }, Buffer.from(text));
}

/** Errors: those of the vault. */
export async function openText(vault: Vault, workspace: string, place: TextPlace, sealed: Buffer): Promise<string> {
  return (await vault.open(workspace, { ...place, column: 'content' }, sealed)).toString('utf8');
}
