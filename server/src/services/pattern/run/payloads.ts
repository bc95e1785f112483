import type { KeyObject } from 'node:crypto';
import type { ToolCall } from '@damask/contracts/message.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import type { runOperations } from '@damask/contracts/run-operations.ts';
import type { Vault } from '#platform/vault.ts';
import type { StoredAttachment } from '../conversation/turn-text.ts';
import { digestValue } from './digest-request.ts';

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

export interface Payloads {
  /** Makes sure that the workspace's key is in memory; a database read the first time only. */
  ready(workspace: string): Promise<void> | undefined;
  seal(row: { workspace: string; id: string }, payload: Payload): Promise<Buffer> | Buffer;
  open(row: { workspace: string; id: string }, sealed: Buffer): Promise<Payload>;
  /** What finds the runs of an end user without naming them. Needs `ready` first. */
  digestSubject(workspace: string, subject: string): string;
  /** Key of an HMAC of this purpose. Needs `ready` first. */
  hmacKey(workspace: string, purpose: string): KeyObject;
}

/** What seals the texts of a run. */
export const payloadPlace = (row: string) => ({ table: 'pattern.finished', row, column: 'payload' });

export function createPayloads(vault: Vault): Payloads {
  return {
    ready: (workspace) => vault.ready(workspace),
    digestSubject: (workspace, subject) =>
      digestValue(vault.hmacKey(workspace, 'subject'), subject).toString('base64url'),
    hmacKey: (workspace, purpose) => vault.hmacKey(workspace, purpose),
    seal: ({ workspace, id }, payload) => vault.seal(workspace, payloadPlace(id), Buffer.from(JSON.stringify(payload))),
    open: async ({ workspace, id }, sealed) =>
      JSON.parse((await vault.open(workspace, payloadPlace(id), sealed)).toString('utf8')) as Payload,
  };
}
