import type { ToolCall } from '@damask/contracts/message.ts';
import { shortestSecret } from '#platform/secret-forms.ts';

/** Takes a provider's own key out of an answer that comes in pieces. */
export interface KeyFilter {
  /** What can be told now. The rest is held back for as long as it could be the beginning of the key; of most of a key nothing is told at the end. */
  push(piece: string, last: boolean): string;
  calls(calls: readonly ToolCall[]): readonly ToolCall[];
}

const mark = '[redacted]';

/** A provider, or what stands before it, may say the key again that it was asked with. Keys that are too short for one are let be. */
export function createKeyFilter(given: string | null | undefined): KeyFilter | null {
  const key = given ?? '';
  if (key.length < shortestSecret) return null;
  const first = key.charAt(0);
  let held = '';

  function openEnd(text: string): number {
    let start = text.indexOf(first, Math.max(0, text.length - key.length + 1));
    while (start >= 0 && !key.startsWith(text.slice(start))) start = text.indexOf(first, start + 1);
    return start < 0 ? 0 : text.length - start;
  }

  return {
    push(piece, last) {
      const text = (held + piece).replaceAll(key, mark);
      const open = openEnd(text);
      const told = text.slice(0, text.length - open);
      held = last ? '' : text.slice(told.length);
      if (!last) return told;
      return open < shortestSecret ? text : told + mark;
    },
    calls: (calls) =>
      calls.some((call) => call.arguments.includes(key))
        ? calls.map((call) => ({ ...call, arguments: call.arguments.replaceAll(key, mark) }))
        : calls,
  };
}
