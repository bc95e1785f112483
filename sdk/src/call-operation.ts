import type { SentBytes } from './build-request.ts';
import { DamaskError } from './damask-error.ts';
import type { OperationName, OperationTypes } from './generated.ts';
import { type CallOptions, type Connection, openOperation } from './open-operation.ts';

/** Sends an operation and answers its output. Throws a DamaskError, or the signal's reason. */
export async function callOperation<Name extends OperationName>(
  connection: Connection,
  name: Name,
  input: OperationTypes[Name]['input'],
  options: CallOptions = {},
  sent?: SentBytes,
): Promise<OperationTypes[Name]['output']> {
  const answer = await openOperation(connection, name, input, options, 'application/json', sent);
  try {
    return readOutput(await answer.response.text());
  } catch (error) {
    const explained = answer.explain(error) ?? (error instanceof DamaskError ? error : undefined);
    if (explained !== undefined) throw explained;
    const detail = 'The connection broke before the whole answer had come. Look what happened, then try again.';
    throw new DamaskError('truncated', detail, {}, { cause: error });
  } finally {
    answer.close();
  }
}

function readOutput<Output>(text: string): Output {
  if (text === '') return undefined as Output;
  try {
    return JSON.parse(text) as Output;
  } catch (cause) {
    const detail = 'The answer is not JSON: is this the address of a Damask server?';
    throw new DamaskError('unexpected_response', detail, {}, { cause });
  }
}
