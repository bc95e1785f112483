import { AppError } from '#platform/app-error.ts';
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

/** Errors: `unavailable` when the key file is not the one that the text was written with. */
export async function openText(vault: Vault, workspace: string, place: TextPlace, sealed: Buffer): Promise<string> {
  try {
    return (await vault.open(workspace, { ...place, column: 'content' }, sealed)).toString('utf8');
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError(
      'unavailable',
      'A stored text cannot be decrypted. Check that the key file is the one that it was written with.',
      {},
      { cause },
    );
  }
}
