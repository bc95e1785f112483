import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureAudit } from './audit.ts';
import { measureEdge } from './edge.ts';
import { measureEveryday } from './everyday.ts';
import { measureKeys } from './key-rotation.ts';
import { measureQueue } from './queue.ts';
import { measureLongRun, measureRunPath } from './run-path.ts';

const say = (text: string) => console.error(`[bench] ${text}`);
const results = join(import.meta.dirname, 'RESULTS.md');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '100000' },
    streams: { type: 'string', default: '2000' },
    payloads: { type: 'string', default: '100000' },
  },
});

interface Chapter {
  readonly name: string;
  readonly title: string;
  measure(): Promise<string>;
}

const chapters: readonly Chapter[] = [
  { name: 'everyday', title: 'Everyday waits', measure: () => measureEveryday(say) },
  {
    name: 'run-path',
    title: 'The run path beside a bare proxy and other gateways',
    measure:
      async () => `The bare proxy passes bytes on with \`undici\` and records nothing; nor do the other gateways, as they are run here.
Damask recognises the key, checks and expands, calls the model, seals the texts and has the record committed (fsync on)
before the answer ends. Medians of interleaved rounds.

${await measureRunPath(say, { streams: Number(values.streams) })}`,
  },
  { name: 'edge', title: 'The edge', measure: () => measureEdge(say) },
  { name: 'audit', title: 'The audit log', measure: () => measureAudit(say) },
  {
    name: 'queue',
    title: 'Queued runs, batches and chains',
    measure: () => measureQueue(say),
  },
  {
    name: 'encryption',
    title: 'Sealing and new keys',
    measure: () => measureKeys(say, Number(values.payloads)),
  },
  {
    name: 'memory',
    title: 'Memory over many runs',
    measure: () => measureLongRun(say, Number(values.runs)),
  },
];

const unknown = positionals.find((name) => !chapters.some((chapter) => chapter.name === name));
if (unknown !== undefined) {
  console.error(`There is no bench "${unknown}". There are: ${chapters.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}
const asked = chapters.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const kept = existsSync(results)
  ? readFileSync(results, 'utf8')
      .split(/^(?=## )/m)
      .slice(1)
  : [];
const measured = new Map<string, string>();
for (const { title, name, measure } of asked) {
  const before = loadavg()[0]?.toFixed(1);
  const text = await measure();
  const day = new Date().toISOString().slice(0, 10);
  const machine = `${day}, ${availableParallelism()} cores, Node ${process.versions.node}, load average ${before} before and ${loadavg()[0]?.toFixed(1)} after.`;
  const commands: Readonly<Record<string, string>> = {
    everyday: 'npm run bench everyday',
    'run-path': `npm run bench:run-path -- --streams ${values.streams}`,
    edge: 'npm run bench edge',
    audit: 'npm run bench audit',
    queue: 'npm run bench:queue',
    encryption: `npm run bench encryption -- --payloads ${values.payloads}`,
    memory: `npm run bench memory -- --runs ${values.runs}`,
  };
  const command = commands[name];
  measured.set(title, `## ${title}\n\n\`${command}\`, ${machine}\n\n${text}\n`);
}
const chapterTexts = chapters.flatMap(({ title }) => {
  const text = measured.get(title) ?? kept.find((old) => old.startsWith(`## ${title}\n`));
  return text === undefined ? [] : [`${text.trimEnd()}\n`];
});
const page = `# Results

\`npm run bench\` makes this page anew, chapter by chapter. Read the ratios: the machine is shared, and its load moves every
figure; the bench itself keeps all cores busy.

${chapterTexts.join('\n')}`;
writeFileSync(results, page);
console.log(page);
