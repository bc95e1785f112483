import { DamaskError } from './damask-error.ts';
import type { OperationName } from './generated.ts';
import { type CallOptions, type Connection, openOperation } from './open-operation.ts';
import { chunksOf } from './server-sent-events.ts';

/** Sends an operation that answers bytes, and passes them on as they come. Throws a DamaskError, or the signal's reason. */
export async function* streamBytes(
  connection: Connection,
  name: OperationName,
  input: object,
  options: CallOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const answer = await openOperation(connection, name, input, options, '*/*');
  answer.stopTimeout();
  try {
    const { body } = answer.response;
    if (body) yield* chunksOf(body);
  } catch (error) {
    const explained = answer.explain(error) ?? (error instanceof DamaskError ? error : undefined);
    if (explained !== undefined) throw explained;
    const detail = 'The connection broke before all bytes had come. Go on after the last line that came.';
    throw new DamaskError('truncated', detail, {}, { cause: error });
  } finally {
    answer.close();
  }
}
