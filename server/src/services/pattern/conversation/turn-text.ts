import { setImmediate as letOthersRun } from 'node:timers/promises';
import type { KeptAttachment } from '@damask/contracts/attachment.ts';
import type { Turn, TurnRole } from '@damask/contracts/session.ts';
import type { Vault } from '#platform/vault.ts';
import { openText, sealText } from './sealed-text.ts';
import type { TurnRow } from './turn-store.ts';

/** An attachment as it is kept; without `data` only its hash is. */
export interface StoredAttachment extends Omit<KeptAttachment, 'kept'> {
  /** Base64. */
  readonly data?: string;
}

/** What is said in a turn. */
export interface Said {
  readonly role: TurnRole;
  readonly content: string;
  /** Images and documents; texts are part of the content. */
  readonly attachments: readonly StoredAttachment[];
}

/** A turn as it was said, with what is known of it. */
export interface OpenTurn extends Said, Pick<Turn, 'number' | 'run' | 'created_at'> {}

/** Turns that are sealed or opened in one go: more would hold the event loop for milliseconds. */
const atOnce = 50;

/** What a turn is sealed for. */
export const turnPlace = (session: string, number: number) =>
  ({ table: 'pattern.turn', row: `${session} ${number}` }) as const;

/** Seals turns that will have the numbers from `from` on. Needs the vault to be ready. */
export async function sealTurns(
  vault: Vault,
  { workspace, id }: { readonly workspace: string; readonly id: string },
  from: number,
  turns: readonly Said[],
): Promise<(Said & { readonly sealed: Buffer; readonly bytes: number })[]> {
  const sealed = [];
  for (const [index, turn] of turns.entries()) {
    if (index % atOnce === atOnce - 1) await letOthersRun();
    const { content, attachments } = turn;
    const text = JSON.stringify(attachments.length === 0 ? { content } : { content, attachments });
    sealed.push({
      ...turn,
      sealed: await sealText(vault, workspace, turnPlace(id, from + index), text),
      bytes: sizeOf(turn),
    });
  }
  return sealed;
}

/** Opens stored turns. Not inside a transaction: the key may have to be read, which takes a connection of its own. */
export async function openTurns(
  vault: Vault,
  { workspace, id }: { readonly workspace: string; readonly id: string },
  rows: readonly TurnRow[],
): Promise<OpenTurn[]> {
  const opened: OpenTurn[] = [];
  for (const [index, { number, role, content, run, created_at }] of rows.entries()) {
    if (index % atOnce === atOnce - 1) await letOthersRun();
    const said = JSON.parse(await openText(vault, workspace, turnPlace(id, number), content)) as Partial<Said>;
    opened.push({
      number,
      role,
      content: said.content ?? '',
      attachments: said.attachments ?? [],
      run,
      created_at: created_at.toISOString(),
    });
  }
  return opened;
}

/** Bytes that a turn counts for: its text, and the attachments that go along again with each later run. */
export function sizeOf({ content, attachments }: Said): number {
  return Buffer.byteLength(content) + attachments.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
}
