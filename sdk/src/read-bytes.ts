import { DamaskError } from './damask-error.ts';
import type { OperationName } from './generated.ts';
import { type CallOptions, type Connection, openOperation } from './open-operation.ts';
import { chunksOf } from './server-sent-events.ts';

/** Sends an operation that answers bytes, and takes all of them. Throws a DamaskError, or the signal's reason. */
export async function readBytes(
  connection: Connection,
  name: OperationName,
  input: object,
  options: CallOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await openOperation(connection, name, input, options, '*/*');
  try {
    const parts: Uint8Array[] = [];
    let size = 0;
    const { body } = answer.response;
    if (body) {
      for await (const part of chunksOf(body)) {
        parts.push(part);
        size += part.length;
      }
    }
    const whole = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  } catch (error) {
    const explained = answer.explain(error) ?? (error instanceof DamaskError ? error : undefined);
    if (explained !== undefined) throw explained;
    const detail = 'The connection broke before all bytes had come. Try again.';
    throw new DamaskError('truncated', detail, {}, { cause: error });
  } finally {
    answer.close();
  }
}
