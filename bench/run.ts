import { writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { measureEveryday } from './everyday.ts';
import { measureRunPath } from './run-path.ts';

const say = (text: string) => console.error(`[bench] ${text}`);
const results = join(import.meta.dirname, 'RESULTS.md');

const before = loadavg()[0]?.toFixed(1);
const everyday = await measureEveryday(say);
const runPath = await measureRunPath(say);
const day = new Date().toISOString().slice(0, 10);
const text = `# Results

\`npm run bench\` makes this page anew. Read the ratios: the machine is shared, and its load moves every figure.

${day}, ${availableParallelism()} cores, Node ${process.versions.node}, load average ${before} before and ${loadavg()[0]?.toFixed(1)} after
(the bench itself keeps all cores busy).

## Everyday waits

${everyday}

## The run path beside a bare proxy

The proxy passes bytes on with \`undici\` and records nothing. Damask recognises the key, checks and expands, calls the
model, seals the texts and has two rows committed (fsync on) before the answer ends. Medians of interleaved rounds.

${runPath}
`;
writeFileSync(results, text);
console.log(text);
