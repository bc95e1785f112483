import type { ModelRequest } from '../model/model-call.ts';

/** Characters for a token, as English has about; other languages have fewer, so limits should leave some room. */
const charactersPerToken = 4;
/** What an answer takes until its end tells. */
const answerTokens = 500;
/** An image or a page, whatever its size. */
const partTokens = 1_000;

/** Tokens that a call takes, before anybody knows: input by its length, and an answer of usual length. */
export function estimateTokens({ messages, parameters }: ModelRequest): number {
  let characters = 0;
  let parts = 0;
  for (const { content } of messages) {
    if (typeof content === 'string') characters += content.length;
    else
      for (const part of content) {
        if (part.type === 'text') characters += part.text.length;
        else parts += 1;
      }
  }
  const answer = Math.min(answerTokens, parameters.max_tokens ?? answerTokens);
  return Math.ceil(characters / charactersPerToken) + parts * partTokens + answer;
}
