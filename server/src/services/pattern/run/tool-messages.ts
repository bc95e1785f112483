import type { Message, ToolTurn } from '@damask/contracts/message.ts';
import { AppError } from '#platform/app-error.ts';

/** What models asked for before and what came of it, as messages. Throws `invalid_request` for an answer to no call. */
export function toToolMessages(turns: readonly ToolTurn[]): Message[] {
  return turns.flatMap(({ content = '', tool_calls, results }, at) => {
    const asked = new Set(tool_calls.map((call) => call.id));
    const answers = results.map((result, index): Message => {
      if (!asked.delete(result.tool_call_id)) {
        throw new AppError(
          'invalid_request',
          'This result belongs to no call of its turn. Each call has one result, under the id of the call.',
          { pointer: `/tool_turns/${at}/results/${index}/tool_call_id` },
        );
      }
      return { role: 'tool', content: result.content, tool_call_id: result.tool_call_id };
    });
    if (asked.size > 0) {
      throw new AppError('invalid_request', 'A call of this turn has no result. Models refuse to go on without it.', {
        pointer: `/tool_turns/${at}/results`,
      });
    }
    return [{ role: 'assistant', content, tool_calls }, ...answers];
  });
}
