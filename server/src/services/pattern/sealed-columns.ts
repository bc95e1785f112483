import type { SealedColumn } from '#platform/crypto/sealed-column.ts';
import { chunkPlace, planPlace } from './batch/batch-parts.ts';
import { turnPlace } from './conversation/turn-text.ts';
import { stepPlace } from './engine/step-store.ts';
import { providersTopic } from './model/model-parts.ts';
import { providerKeyPlace } from './model/provider-sources.ts';
import { holdPlace } from './privacy/put-hold.ts';
import { subjectKeyPlace } from './privacy/subject-keys.ts';
import { pieceAt } from './run/output-publisher.ts';
import { payloadPlace } from './run/payloads.ts';
import { requestPlace } from './run/queued-request.ts';
import { timerPlace } from './timer/timer-run.ts';

type Row = Readonly<
  Record<'id' | 'name' | 'session' | 'number' | 'run' | 'path' | 'batch' | 'first_line' | 'subject', string>
>;
type Piece = Readonly<Record<'run' | 'token' | 'attempt' | 'start', string>>;

/** Every column of this service that holds sealed values. A test finds those that are missing. */
export const patternSealedColumns: readonly SealedColumn[] = [
  of('pattern.provider', 'api_key', { name: 'text' }, ({ name }) => providerKeyPlace(name), providersTopic),
  of('pattern.context', 'content', { name: 'text' }, ({ name }) => ({
    table: 'pattern.context',
    row: name,
    column: 'content',
  })),
  of('pattern.timer', 'run', { name: 'text' }, ({ name }) => timerPlace(name)),
  of('pattern.batch', 'plan', { id: 'uuid' }, ({ id }) => planPlace(id)),
  of('pattern.batch_chunk', 'content', { batch: 'uuid', first_line: 'int' }, ({ batch, first_line }) =>
    chunkPlace('batch_chunk', batch, Number(first_line)),
  ),
  of('pattern.batch_rejected', 'content', { batch: 'uuid', first_line: 'int' }, ({ batch, first_line }) =>
    chunkPlace('batch_rejected', batch, Number(first_line)),
  ),
  of('pattern.task', 'request', { id: 'uuid' }, ({ id }) => requestPlace(id)),
  of('pattern.step', 'payload', { run: 'uuid', path: 'text' }, ({ run, path }) => stepPlace(run, path, 'payload')),
  of('pattern.step', 'comment', { run: 'uuid', path: 'text' }, ({ run, path }) => stepPlace(run, path, 'comment')),
  of('pattern.turn', 'content', { session: 'uuid', number: 'int' }, ({ session, number }) => ({
    ...turnPlace(session, Number(number)),
    column: 'content',
  })),
  {
    table: 'pattern.run_output',
    column: 'piece',
    key: { run: 'uuid', token: 'bigint', attempt: 'int', start: 'bigint' },
    place: (row) => {
      const { run, token, attempt, start } = row as Piece;
      return pieceAt({ workspace: '', run, token: BigInt(token), attempt: Number(attempt), start: Number(start) });
    },
  },
  of('pattern.finished', 'payload', { id: 'uuid' }, ({ id }) => payloadPlace(id)),
  of('pattern.subject_key', 'wrapped', { subject: 'text' }, ({ subject }) => subjectKeyPlace(subject)),
  of('pattern.legal_hold', 'subject_name', { name: 'text' }, ({ name }) => holdPlace(name)),
];

function of(
  table: string,
  column: string,
  key: SealedColumn['key'],
  place: (row: Row) => ReturnType<SealedColumn['place']>,
  topic?: string,
): SealedColumn {
  return { table, column, key, place: (row) => place(row as Row), ...(topic === undefined ? {} : { topic }) };
}
