import type { Script } from '../../server/src/platform/testing/model-server.ts';

/** Words in the input that tell the model what to do. */
export const tells = {
  /** Fails and says again what key it was asked with. */
  sayKey: 'say-my-key',
  /** Fails and says again what it was asked. */
  sayInput: 'say-my-words',
  /** Answers, with the key in it. */
  answerKey: 'answer-my-key',
  /** Never answers. */
  never: 'never-answer',
  /** Begins a stream and breaks it off. */
  breakOff: 'break-off',
  /** Answers what follows it, up to a semicolon. */
  answer: 'answer:',
} as const;

/** A model that is as careless with what it is told as any. */
export const modelScript: Script = ({ messages, authorization, stream, body }, answer) => {
  const asked = messages
    .map(({ content }) => (typeof content === 'string' ? content : JSON.stringify(content)))
    .join('\n');
  const fail = (status: number, message: string) =>
    void answer.response
      .writeHead(status, { 'content-type': 'application/json', 'x-debug': encodeURIComponent(message).slice(0, 2_000) })
      .end(JSON.stringify({ error: { message, type: 'invalid_request_error', param: message, code: message } }));
  if (asked.includes(tells.sayKey))
    return fail(
      401,
      `Incorrect API key provided: ${authorization?.slice(7)}, ${authorization}. ${JSON.stringify(body)}`,
    );
  if (asked.includes(tells.sayInput)) return fail(400, `This was not understood: ${asked}`);
  if (asked.includes(tells.answerKey)) {
    const text = `The key is ${authorization?.slice(7)}, I think, ${authorization?.slice(7)}`;
    return answer.say(text, { pieces: text.match(/.{1,7}/gs) as string[] });
  }
  if (asked.includes(tells.never)) return undefined;
  if (asked.includes(tells.breakOff) && stream) {
    answer.chunk({ choices: [{ index: 0, delta: { content: asked } }] });
    return void answer.response.destroy();
  }
  const said = asked.split(tells.answer).at(-1)?.split(';')[0];
  return answer.say(asked.includes(tells.answer) ? String(said) : 'Well.');
};
