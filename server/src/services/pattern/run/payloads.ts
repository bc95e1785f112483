import type { KeyObject } from 'node:crypto';
import type { ToolCall } from '@damask/contracts/message.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import type { runOperations } from '@damask/contracts/run-operations.ts';
import type { HmacPurpose } from '#platform/crypto/index-keys.ts';
import type { Vault } from '#platform/vault.ts';
import type { StoredAttachment } from '../conversation/turn-text.ts';
import { isOfSubject, type SubjectKeys } from '../privacy/subject-keys.ts';
import { digestValue } from './digest-request.ts';
import type { AcceptedRow } from './record.ts';

/** The texts of a run, which are stored sealed only. */
export interface Payload {
  readonly input: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly output: string;
  readonly tool_calls?: readonly ToolCall[];
  /** The output is JSON of the form that the pattern asked for. */
  readonly json?: boolean;
  /** Left out where nothing was attached. */
  readonly attachments?: readonly StoredAttachment[];
  /** What failed, where the provider's own words are in it: they may quote the input. */
  readonly error_detail?: string;
  /** The end user, where the run names one. */
  readonly subject?: string;
  /** What the request asked for by itself; left out where it left all to the version. */
  readonly asked?: AskedOptions;
}

/** Settings of a request that take the place of the version's. */
export type AskedOptions = Pick<
  InputOf<(typeof runOperations)['createRun']>,
  'model' | 'parameters' | 'language' | 'tools' | 'tool_choice' | 'tool_turns'
>;

type SealedRow = Pick<AcceptedRow, 'workspace' | 'id' | 'subject' | 'data_class'>;

export interface Payloads {
  /** Makes sure that the workspace's key is in memory; a database read the first time only. */
  ready(workspace: string): Promise<void> | undefined;
  /** Personal texts that name a subject are sealed with that subject's own key as well: deleting it shreds them. */
  seal(row: SealedRow, payload: Payload): Promise<Buffer> | Buffer;
  /** Errors: `payload_gone` when the key of its subject was deleted. */
  open(row: { workspace: string; id: string }, sealed: Buffer): Promise<Payload>;
  /** What finds the runs of an end user without naming them. Needs `ready` first. */
  digestSubject(workspace: string, subject: string): string;
  /** Key of an HMAC of this purpose. Needs `ready` first. */
  hmacKey(workspace: string, purpose: HmacPurpose): KeyObject;
}

/** What seals the texts of a run. */
export const payloadPlace = (row: string) => ({ table: 'pattern.finished', row, column: 'payload' });

export function createPayloads(vault: Vault, keys: SubjectKeys): Payloads {
  const sealOwn = async ({ workspace, id }: SealedRow, subject: string, plain: Buffer) =>
    vault.seal(workspace, payloadPlace(id), await keys.seal({ workspace, subject }, id, plain));
  return {
    ready: (workspace) => vault.ready(workspace),
    digestSubject: (workspace, subject) =>
      digestValue(vault.hmacKey(workspace, 'subject'), subject).toString('base64url'),
    hmacKey: (workspace, purpose) => vault.hmacKey(workspace, purpose),
    seal(row, payload) {
      const plain = Buffer.from(JSON.stringify(payload));
      const { workspace, id, subject } = row;
      return row.data_class === 'personal' && subject
        ? sealOwn(row, subject, plain)
        : vault.seal(workspace, payloadPlace(id), plain);
    },
    async open({ workspace, id }, sealed) {
      const opened = await vault.open(workspace, payloadPlace(id), sealed);
      const plain = isOfSubject(opened) ? await keys.open(workspace, id, opened) : opened;
      return JSON.parse(plain.toString('utf8')) as Payload;
    },
  };
}
