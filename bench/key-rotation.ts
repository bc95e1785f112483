import { createSecretKey, randomBytes } from 'node:crypto';
import { reseal, seal } from '../server/src/platform/crypto/seal.ts';
import { median, show, table } from './figures.ts';
import type { Bound, Section } from './section.ts';
import { showBounds } from './section.ts';
import { type Peers, startPeers } from './start-peers.ts';

const payloadBytes = 4096;
const times = 20_000;
const rounds = 5;
const fillSeconds = 5;
const connections = 16;
const loadSeconds = 2;

/** What sealing costs, and what a rotation of the data key over at least `payloads` texts costs those who run meanwhile. */
export async function measureKeys(say: (text: string) => void, payloads: number): Promise<string> {
  say('sealing');
  const sealing = measureSealing();
  say('a rotation under load');
  const peers = await startPeers(say, { others: false });
  try {
    const rotation = await measureRotation(peers, say, payloads);
    return [showBounds([...sealing.bounds, ...rotation.bounds]), sealing.text, rotation.text].join('\n\n');
  } finally {
    await peers.stop();
  }
}

function measureSealing(): Section {
  const from = createSecretKey(randomBytes(32));
  const to = createSecretKey(randomBytes(32));
  const header = randomBytes(25);
  const place = { workspace: randomBytes(18).toString('hex'), table: 'pattern.finished', row: 'r', column: 'payload' };
  const payload = Buffer.from('what a model says when nobody minds what it says '.repeat(100).slice(0, payloadBytes));
  const sealed = seal(from, place, header, payload) as Buffer;
  const measure = (work: () => unknown) => {
    const found: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const before = process.cpuUsage();
      for (let i = 0; i < times; i++) work();
      const { user, system } = process.cpuUsage(before);
      found.push((user + system) / times);
    }
    return median(found);
  };
  const once = measure(() => seal(from, place, header, payload));
  const anew = measure(() => reseal({ key: from, headerLength: header.length }, { key: to, header }, place, sealed));
  return {
    text: `### Sealing ${payloadBytes} bytes\n\nµs of CPU: ${show(once)} to seal, ${show(anew)} to seal anew with another key.`,
    bounds: [{ what: 'µs of CPU to seal 4 KB', bound: '<= 20', measured: show(once), met: once <= 20 }],
  };
}

interface Status {
  readonly rotation: {
    readonly state: string;
    readonly rows: number;
    readonly rows_left: number;
    readonly rows_per_second: number | null;
  } | null;
}

async function measureRotation(peers: Peers, say: (text: string) => void, payloads: number): Promise<Section> {
  const { damask, server } = peers;
  await peers.upstream(0, 0);
  const load = (seconds: number) => peers.load(damask, 'json', { seconds, connections });
  const rate = async () => {
    const { answered, seconds } = await load(loadSeconds);
    return answered / seconds;
  };
  for (let filled = 0; filled < payloads; ) {
    filled += (await load(fillSeconds)).answered;
    say(`${filled} texts to seal anew`);
  }
  const without: number[] = [];
  for (let round = 0; round < rounds; round++) without.push(await rate());
  await server.call('POST', '/v1/encryption/rotation');
  const during: number[] = [];
  let last: Status['rotation'] = null;
  // One rotation at a time: there are as many samples as it takes.
  for (;;) {
    const measured = await rate();
    const { rotation } = await server.call<Status>('GET', '/v1/encryption');
    if (rotation?.state !== 'running') break;
    last = rotation;
    during.push(measured);
    say(`${rotation.rows_left} of ${rotation.rows} rows left`);
  }
  for (let round = 0; round < rounds; round++) without.push(await rate());
  const loss = during.length === 0 ? Number.NaN : 1 - median(during) / median(without);
  const rows = [
    ['runs a second, without', show(median(without))],
    ['runs a second, while it goes on', during.length === 0 ? 'it was too quick' : show(median(during))],
    ['rows sealed anew a second', show(last?.rows_per_second ?? 0)],
    ['rows', show(last?.rows ?? 0)],
  ];
  const bound: Bound = {
    what: 'loss of runs a second while 1,000,000 texts get a new data key',
    bound: '< 10 %',
    measured: `${show(loss * 100)} %`,
    met: Number.isNaN(loss) || payloads < 1_000_000 ? null : loss < 0.1,
  };
  return {
    text: `### A new data key under load\n\n${connections} connections, upstream answers at once.\n\n${table(['', ''], rows)}`,
    bounds: [bound],
  };
}
