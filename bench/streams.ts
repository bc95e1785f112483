import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

// Opens many streams at once and reads each to its end.

/** A message to this program. */
export interface StreamsAsked {
  readonly port: number;
  readonly path: string;
  readonly authorization: string;
  readonly body: string;
  readonly count: number;
  readonly expected: string;
}

/** Its answer. */
export interface StreamsResult {
  readonly whole: number;
  readonly most: number;
  /** Answered with 503 and sent again, as it says. */
  readonly refused: number;
}

process.on('message', (asked: StreamsAsked) => void readAll(asked).then((result) => process.send?.(result)));
process.on('disconnect', () => process.exit());
process.send?.({});

async function readAll(asked: StreamsAsked): Promise<StreamsResult> {
  let underWay = 0;
  let most = 0;
  let refused = 0;
  const count = (step: 1 | -1) => {
    underWay += step;
    most = Math.max(most, underWay);
  };
  const all = Array.from({ length: asked.count }, async (_, at) => {
    // Over two seconds: what is measured is how many it holds, not how fast they can all begin.
    await wait((2_000 * at) / asked.count);
    for (;;) {
      const raw = await readOne(asked, count);
      if (!raw.startsWith('HTTP/1.1 503')) return raw;
      refused += 1;
      await wait(1_000);
    }
  });
  const texts = await Promise.all(all);
  return { whole: texts.filter((raw) => isWhole(raw, asked.expected)).length, most, refused };
}

/** `count` is told +1 with the first event and -1 with the end. */
function readOne({ port, path, authorization, body }: StreamsAsked, count: (step: 1 | -1) => void): Promise<string> {
  return new Promise((resolve) => {
    let raw = '';
    let begun = false;
    const socket = connect({ port, host: '127.0.0.1' });
    const end = () => {
      if (begun) count(-1);
      begun = false;
      socket.destroy();
      resolve(raw);
    };
    socket.on('data', (chunk) => {
      raw += chunk.toString('latin1');
      if (!begun && raw.includes('event: run.accepted')) {
        begun = true;
        count(1);
      }
      if (raw.endsWith('0\r\n\r\n') || raw.startsWith('HTTP/1.1 503')) end();
    });
    socket.on('error', end);
    socket.on('close', end);
    socket.setTimeout(120_000, end);
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  });
}

/** All deltas joined are the text, their ids never fall, and the end holds the whole once more. */
function isWhole(raw: string, expected: string): boolean {
  const text = unchunk(raw.slice(raw.indexOf('\r\n\r\n') + 4));
  const events = text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => {
      const [name = '', id = '', data = ''] = event.split('\n').map((line) => line.slice(line.indexOf(': ') + 2));
      return { name, id: Number(id), data: JSON.parse(data) as { text?: string; output?: string } };
    });
  const said = events.filter(({ name }) => name === 'output.delta').map(({ data }) => data.text ?? '');
  const rises = events.every(({ id }, at) => at === 0 || id >= (events[at - 1]?.id ?? 0));
  const last = events.at(-1);
  return rises && said.join('') === expected && last?.name === 'run.succeeded' && last.data.output === expected;
}

function unchunk(body: string): string {
  let text = '';
  for (let at = 0; ; ) {
    const line = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.slice(at, line), 16);
    if (!(size > 0)) return text;
    text += body.slice(line + 2, line + 2 + size);
    at = line + 4 + size;
  }
}
