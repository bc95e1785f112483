import { type Static, Type } from 'typebox';
import { Id, None, strict, Time } from './field.ts';
import { type Operations, operation } from './operation.ts';

export const DataKeyVersion = Type.Object({
  version: Type.Integer(),
  wrapped_by: Type.String({ description: 'Id of the key-encryption key that wraps it.' }),
  created_at: Time,
});

export const DataKeyRotation = Type.Object({
  version: Type.Integer({ description: 'The version of the data key that everything is sealed with in the end.' }),
  state: Type.Union([Type.Literal('running'), Type.Literal('waiting'), Type.Literal('finished')], {
    description:
      'waiting: all is sealed anew; one more look follows once no process can seal with an older version any more.',
  }),
  pass: Type.Integer({ description: 'How often all sealed columns were read; the last pass finds nothing to do.' }),
  started_at: Time,
  finished_at: Type.Union([Time, Type.Null()]),
  rows: Type.Integer({ description: 'Of this pass.' }),
  rows_left: Type.Integer(),
  rows_failed: Type.Integer({
    description: 'That do not open: damaged, or sealed by a lost key. Older versions of the key stay then.',
  }),
  rows_per_second: Type.Union([Type.Number(), Type.Null()]),
  ends_at: Type.Union([Time, Type.Null()], { description: 'An estimate; null where there is nothing to go by yet.' }),
});
export type DataKeyRotation = Static<typeof DataKeyRotation>;

export const Encryption = Type.Object({
  key: Type.Object(
    {
      source: Type.Union([
        Type.Literal('file'),
        Type.Literal('environment'),
        Type.Literal('vault'),
        Type.Literal('aws'),
      ]),
      id: Type.String(),
      version: Type.Union([Type.Integer(), Type.Null()], { description: 'Where its keeper counts them.' }),
      healthy: Type.Boolean({ description: 'False: it cannot be used now; what is in memory serves for 10 minutes.' }),
    },
    { description: 'The key-encryption key, which wraps new data keys.' },
  ),
  versions: Type.Array(DataKeyVersion, { description: 'Of the data key of the workspace, the newest first.' }),
  due_at: Type.Union([Time, Type.Null()], { description: 'When a new version is due: 90 days after the last one.' }),
  rotation: Type.Union([DataKeyRotation, Type.Null()], { description: 'The last one.' }),
});
export type Encryption = Static<typeof Encryption>;

export const encryptionOperations = {
  readEncryption: operation({
    method: 'GET',
    path: '/v1/encryption',
    permission: 'encryption:read',
    summary: 'Keys of the workspace: what wraps them, their versions, how far a rotation is',
    input: None,
    output: Encryption,
    status: 200,
    errors: ['workspace_shredded'],
  }),
  rotateDataKey: operation({
    method: 'POST',
    path: '/v1/encryption/rotation',
    permission: 'encryption:write',
    summary:
      'Make a new data key and seal everything anew with it, while the platform serves; one under way is answered as it is',
    input: None,
    output: Encryption,
    status: 202,
    errors: ['workspace_shredded', 'unavailable'],
  }),
  shredWorkspace: operation({
    method: 'POST',
    path: '/internal/shredded-workspaces',
    permission: 'internal',
    summary: 'Destroy the data keys of a workspace for good, for the operator with access to the server',
    input: strict({ workspace: Id, name: Type.String({ maxLength: 200 }) }),
    output: Type.Object({ workspace: Id, shredded_at: Time, keys: Type.Integer() }),
    status: 200,
    errors: ['not_found', 'policy_refused'],
  }),
} satisfies Operations;
