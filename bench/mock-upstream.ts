import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

// A model server that costs next to nothing: every answer is made before the first request. A message sets its delay.

const words = 'the model says what a model says when nobody minds what it says and goes on';
const usage = { prompt_tokens: 161, completion_tokens: 100, total_tokens: 261 };
const head = { id: 'chatcmpl-bench', created: 1_760_000_000, model: 'bench' };

const json = Buffer.from(
  JSON.stringify({
    ...head,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: `${words} `.repeat(7) },
        finish_reason: 'stop',
        logprobs: null,
      },
    ],
    usage,
  }),
);

const event = (fields: object) =>
  `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', ...fields })}\n\n`;
const chunks = Array.from({ length: 20 }, (_, at) =>
  event({
    choices: [{ index: 0, delta: { content: `${words.slice(0, 25)} ` }, finish_reason: at === 19 ? 'stop' : null }],
  }),
);
const last = `${event({ choices: [], usage })}data: [DONE]\n\n`;

/** Milliseconds before the first byte, and between two chunks of a stream. */
let delay = 0;
let gap = 0;

function answerStream(response: ServerResponse, at = 0) {
  if (at === 0) response.writeHead(200, { 'content-type': 'text/event-stream' });
  if (gap === 0) {
    for (const chunk of chunks) response.write(chunk);
    response.end(last);
    return;
  }
  if (at === chunks.length) response.end(last);
  else {
    response.write(chunks[at] as string);
    setTimeout(answerStream, gap, response, at + 1);
  }
}

function answerJson(response: ServerResponse) {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': json.length });
  response.end(json);
}

const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  let streamed = false;
  request.on('data', (chunk: Buffer) => {
    streamed ||= chunk.includes('"stream":true');
  });
  request.on('end', () => {
    const answer = streamed ? answerStream : answerJson;
    if (delay === 0) answer(response);
    else setTimeout(answer, delay, response);
  });
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', (given: { delay: number; gap: number }) => {
  ({ delay, gap } = given);
  process.send?.({});
});
process.on('disconnect', () => process.exit());
