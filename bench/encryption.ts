import { createSecretKey, randomBytes } from 'node:crypto';
import { seal } from '../server/src/platform/crypto/seal.ts';
import { median, show } from './figures.ts';
import type { Section } from './section.ts';
import { input } from './start-peers.ts';

const output = 'the model says what a model says when nobody minds what it says and goes on '.repeat(7);
const runs = 20_000;
const rounds = 7;

/** What sealing the texts of one run costs by itself, for the texts of this bench. */
export async function measureEncryption(): Promise<Section> {
  const key = createSecretKey(randomBytes(32));
  const header = randomBytes(25);
  const place = { workspace: randomBytes(18).toString('hex'), table: 'pattern.finished', column: 'payload' };
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < runs; i++) {
      const text = Buffer.from(JSON.stringify({ input, variables: {}, output }));
      await seal(key, { ...place, row: `0193-${i}` }, header, text);
    }
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / runs);
  }
  const text = `Of this, the encryption of a run’s texts takes ${show(median(times))} µs of CPU: AES-256-GCM over ${Buffer.byteLength(input) + output.length} bytes, its JSON included, measured by itself.`;
  return { text, bounds: [] };
}
