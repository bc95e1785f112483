// A program: a model server with a ledger of its own. Each call is on disk before it is answered: the independent witness.
// A line holds the input, whether the call was worked on or refused, and the system text. What stands after `!` in an input
// says how the call is answered.
import { closeSync, fdatasync, openSync, write } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';

const [ledgerPath = '', delay = '40'] = process.argv.slice(2);
const ledger = openSync(ledgerPath, 'a');
const append = promisify(write) as unknown as (fd: number, text: string) => Promise<unknown>;
const sync = promisify(fdatasync);

let waiting: { line: string; done: () => void }[] = [];
let writing = false;

/** Calls that come while one write is on its way share the next. */
async function keep() {
  if (writing) return;
  writing = true;
  while (waiting.length > 0) {
    const group = waiting;
    waiting = [];
    await append(ledger, group.map((entry) => entry.line).join(''));
    await sync(ledger);
    for (const entry of group) entry.done();
  }
  writing = false;
}

const refusals: Readonly<Record<string, string | undefined>> = {
  '429-seconds': '1',
  '429-zero': '0',
  '429-past': 'Wed, 21 Oct 2015 07:28:00 GMT',
  '429-words': 'abc',
  '429-none': undefined,
};
const refused = new Map<string, number>();
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };

/** Whether this call is refused before anything is done for it. */
function refusal(input: string, tag: string): { status: number; after: string | undefined } | undefined {
  if (tag === '500') return { status: 500, after: undefined };
  if (!(tag in refusals)) return undefined;
  const times = refused.get(input) ?? 0;
  refused.set(input, times + 1);
  return times === 0 ? { status: 429, after: refusals[tag] } : undefined;
}

function sendJson(response: ServerResponse, body: string, length = Buffer.byteLength(body)) {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': length });
}

/** The whole answer at once, or spoilt as the tag says. */
function answer(response: ServerResponse, content: string, tag: string) {
  const message = { role: 'assistant', content };
  const counted = tag === 'no-usage' ? undefined : tag === 'mad-usage' ? { ...usage, prompt_tokens: -7 } : usage;
  const body = JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }], usage: counted });
  if (tag === 'hang') return;
  if (tag === 'html') response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Sign in</h1>');
  else if (tag === 'cut') {
    sendJson(response, body);
    response.write(body.slice(0, -20), () => response.destroy());
  } else {
    sendJson(response, body);
    response.end(body);
  }
}

/** A piece of the answer every so many milliseconds. */
function drip(response: ServerResponse, content: string, tag: string) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const pieces = content.match(/.{1,6}/gsu) ?? [];
  const event = (fields: object) => response.write(`data: ${JSON.stringify(fields)}\n\n`);
  const next = (at: number) => {
    if (response.destroyed) return;
    if (tag === 'half' && at === 2) return void response.destroy();
    if (tag === 'silent' && at === 2) return;
    if (at < pieces.length) {
      event({ choices: [{ index: 0, delta: { content: pieces[at] }, finish_reason: null }] });
      setTimeout(next, tag === 'drip' ? 250 : 5, at + 1);
      return;
    }
    event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage });
    response.end('data: [DONE]\n\n');
  };
  next(0);
}

const server = createServer(async (request, response) => {
  // The platform also asks which models there are.
  if (request.method !== 'POST') return void response.writeHead(404).end();
  response.on('error', () => undefined);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { messages, stream } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
    messages: { role: string; content: string }[];
    stream?: boolean;
  };
  const input = messages.at(-1)?.content ?? '';
  const system = messages[0]?.role === 'system' ? messages[0].content : '';
  const tag = /!([a-z0-9-]+)/.exec(input)?.[1] ?? '';
  const no = refusal(input, tag);
  await new Promise<void>((done) => {
    waiting.push({ line: `${input}\t${no ? 'refused' : 'worked'}\t${system}\n`, done });
    void keep();
  });
  if (no) {
    const headers = {
      'content-type': 'application/json',
      ...(no.after === undefined ? {} : { 'retry-after': no.after }),
    };
    return void response.writeHead(no.status, headers).end('{"error":{"message":"not now"}}');
  }
  const content = `echo ${input}`;
  const spoilt = ['hang', 'html', 'cut'].includes(tag);
  setTimeout(
    () => (stream && !spoilt ? drip(response, content, tag) : answer(response, content, tag)),
    tag === 'slow' ? 9_000 : Number(delay),
  );
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
process.on('SIGTERM', () => {
  closeSync(ledger);
  process.exit(0);
});
process.stdin.on('end', () => process.exit(0)).resume();
