// A program: a model server with a ledger of its own. Each call is on disk before it is answered: the independent witness.
import { closeSync, fdatasync, openSync, write } from 'node:fs';
import { createServer } from 'node:http';
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

const server = createServer(async (request, response) => {
  // The platform also asks which models there are.
  if (request.method !== 'POST') return void response.writeHead(404).end();
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { messages } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { messages: { content: string }[] };
  const input = messages.at(-1)?.content ?? '';
  await new Promise<void>((done) => {
    waiting.push({ line: `${input}\n`, done });
    void keep();
  });
  setTimeout(() => {
    const content = `echo ${input}`;
    const body = JSON.stringify({
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    });
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
      .end(body);
  }, Number(delay));
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
process.on('SIGTERM', () => {
  closeSync(ledger);
  process.exit(0);
});
process.stdin.on('end', () => process.exit(0)).resume();
