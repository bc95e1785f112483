import { Answer } from './model-answer.ts';

/** Longest text that is tried as a piece of a chunk. */
const longestPiece = 4_096;
const probe = 'a damask probe';

/** Reads chunks that differ from an earlier one in their text alone, without parsing them. */
export interface RepeatedChunks {
  /** The text of a chunk like the one that was learnt; undefined for any other. */
  textOf(data: string): string | undefined;
  /** Takes a chunk that was read and said `text` and nothing else. */
  learn(data: string, text: string): void;
}

/**
 * Most chunks of a stream are one JSON text around a few characters of output. What stands before and after them is
 * learnt once, and put to the proof: with other characters between, `read` must say just those and nothing else.
 */
export function createRepeatedChunks(read: (document: object, answer: Answer) => void): RepeatedChunks {
  let before = '';
  let after = '';
  let triesLeft = 2;

  function isProven(): boolean {
    const said: string[] = [];
    const answer = new Answer((text) => said.push(text));
    read(JSON.parse(`${before}${probe}${after}`) as object, answer);
    return said.length === 1 && said[0] === probe && saysOnlyText(answer);
  }

  return {
    textOf(data) {
      if (before === '' || !data.startsWith(before) || !data.endsWith(after)) return undefined;
      if (data.length < before.length + after.length) return undefined;
      const text = data.slice(before.length, data.length - after.length);
      return isLiteral(text) ? text : undefined;
    },
    learn(data, text) {
      if (triesLeft === 0 || text.length > longestPiece || !isLiteral(text)) return;
      triesLeft -= 1;
      const at = data.indexOf(`"${text}"`) + 1;
      if (at === 0) return;
      before = data.slice(0, at);
      after = data.slice(at + text.length);
      if (!isProven()) before = '';
    },
  };
}

/** Whether a document that was read into this fresh answer told nothing but text. */
export function saysOnlyText(answer: Answer): boolean {
  const { stopReason, ended, reported, usage, toolCount } = answer;
  return stopReason === null && !ended && !reported && usage === fresh.usage && toolCount === 0;
}

const fresh = new Answer(() => undefined);

/** Whether the characters mean themselves inside a JSON string. */
function isLiteral(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x22 || code === 0x5c) return false;
  }
  return true;
}
