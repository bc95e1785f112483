import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createEventStream, type EventStream } from './event-stream.ts';

let play: (stream: EventStream, response: ServerResponse) => void | Promise<void>;
const server = createServer((_, response) => void play(createEventStream(response, 'request'), response));
before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
after(() => {
  server.close();
  server.closeAllConnections();
});
const port = () => (server.address() as AddressInfo).port;

/** Everything that comes until `end` does, or the connection closes. */
function ask(version: string, times = 1): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    let asked = 1;
    const request = `GET / HTTP/${version}\r\nhost: x\r\n\r\n`;
    const socket = connect(port(), '127.0.0.1', () => socket.write(request));
    socket.setEncoding('utf8');
    socket.on('data', (piece) => {
      text += piece;
      if (!text.endsWith('\r\n0\r\n\r\n')) return;
      if (asked++ < times) socket.write(request);
      else socket.end();
    });
    socket.on('close', () => resolve(text));
  });
}

test('what is told over several turns arrives whole, in characters of any width, and the connection serves again', async () => {
  play = async (stream) => {
    stream.emit('first', 1, { text: 'é€😀' });
    stream.emit('second', 2, { text: 'b' });
    await wait(5);
    stream.emit('third', 3, { text: 'c' });
    assert.equal(stream.end(), true);
  };
  const expected =
    'event: first\nid: 1\ndata: {"text":"é€😀"}\n\nevent: second\nid: 2\ndata: {"text":"b"}\n\nevent: third\nid: 3\ndata: {"text":"c"}\n\n';
  for (let i = 0; i < 3; i++) {
    const response = await fetch(`http://127.0.0.1:${port()}/`);
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    assert.equal(await response.text(), expected);
  }
  const raw = await ask('1.1', 2);
  assert.equal(raw.split('HTTP/1.1 200').length, 3);
  // The events of the first turn are one chunk.
  assert.match(raw, /\r\n\r\n[0-9a-f]+\r\nevent: first[^\r]*event: second[^\r]*\r\n/);
});

test('a stream that ends in its first turn is one chunk and its end', async () => {
  play = (stream) => {
    stream.emit('only', 1, {});
    stream.end();
  };
  assert.match(await ask('1.1'), /\r\n\r\n1c\r\nevent: only\nid: 1\ndata: \{\}\n\n\r\n0\r\n\r\n$/);
});

test('who knows no chunks gets the events alone, and then the end of the connection', async () => {
  play = (stream) => {
    stream.emit('only', 1, {});
    stream.end();
  };
  const [head = '', body] = (await ask('1.0')).split('\r\n\r\n');
  assert.doesNotMatch(head, /transfer-encoding/i);
  assert.equal(body, 'event: only\nid: 1\ndata: {}\n\n');
});

test('without an event it ends nothing, and what was told does not follow another answer', async () => {
  play = (stream, response) => {
    assert.equal(stream.end(), false);
    response.end('plain');
  };
  assert.equal(await (await fetch(`http://127.0.0.1:${port()}/`)).text(), 'plain');
  play = (stream, response) => {
    stream.emit('lost', 1, {});
    response.writeHead(500).end('problem');
  };
  const refused = await fetch(`http://127.0.0.1:${port()}/`);
  assert.deepEqual([refused.status, await refused.text()], [500, 'problem']);
});
