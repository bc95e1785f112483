import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { AppError } from '#platform/app-error.ts';
import { createEgress } from '#platform/egress/egress.ts';
import { libraryForTests, longestHold } from '../library/library-for-tests.ts';
import { makeTar, makeZip } from './archives-for-tests.ts';
import { createImportPlanner } from './import-planner.ts';

const { library, parts, alpha, beta, leftBy, sql, stop } = await libraryForTests();
after(stop);

const archived = (bytes: Buffer) => ({ ...alpha(), body: [bytes.subarray(0, 300), bytes.subarray(300)] });
const versions = async () => (await sql<{ count: string }>('select count(*) from pattern.version'))[0]?.count;
const library1 = [
  { name: 'fabric-main/data/patterns/greet/system.md', content: 'Greet {{name}}. {{plugin:sys:user}} {{BaseURL}}' },
  { name: 'fabric-main/data/strategies/cot.json', content: '{"prompt":"Think."}' },
  { name: 'fabric-main/README.md', content: 'About.' },
];

test('an archive is imported with report, versions and traces; the same again as tar.gz changes nothing', async () => {
  const context = archived(makeZip(library1));
  const report = await library.importArchive(context, { origin: 'fabric.zip' });
  const patterns = report.patterns.map(({ warnings: _, ...row }) => row);
  assert.deepEqual(
    { ...report, patterns },
    {
      committed: true,
      source: { origin: 'fabric.zip' },
      patterns: [
        {
          name: 'greet',
          outcome: 'new',
          version: 1,
          variables: ['name'],
          literal_tokens: ['{{BaseURL}}'],
          disabled_capabilities: ['{{plugin:sys:user}}'],
        },
      ],
      strategies: [{ name: 'cot', outcome: 'new' }],
      ignored: [{ path: 'fabric-main/README.md', reason: 'outside the folder of patterns' }],
      ignored_total: 1,
    },
  );
  const { audit, events } = await leftBy(context);
  assert.deepEqual(
    audit.map(({ action, subject }) => [action, subject]),
    [['importArchive', 'library']],
  );
  assert.deepEqual(
    events.map(({ name }) => name),
    ['pattern.pattern-created', 'pattern.version-published', 'pattern.strategy-put', 'pattern.tree-imported'],
  );
  const again = await library.importArchive(archived(gzipSync(makeTar(library1))), {});
  assert.deepEqual(
    [...again.patterns, ...again.strategies].map(({ outcome }) => outcome),
    ['same', 'same'],
  );
});

test('a dry run keeps nothing and shows what a conflict would bring', async () => {
  await library.publishVersion(alpha(), { pattern: 'greet', system: 'Edited here.' });
  const before = await versions();
  const newer = [
    { name: 'patterns/greet/system.md', content: 'Newer.' },
    { name: 'patterns/b/system.md', content: 'B.' },
  ];
  const report = await library.importArchive(archived(makeZip(newer)), { dry_run: true });
  assert.deepEqual(
    report.patterns.map(({ name, outcome, incoming }) => [name, outcome, incoming]),
    [
      ['b', 'new', undefined],
      ['greet', 'conflict', [{ path: 'system.md', content: 'Newer.' }]],
    ],
  );
  await assert.rejects(library.importArchive(archived(makeZip(newer)), {}), { code: 'import_conflict' });
  assert.equal(await versions(), before);
  const kept = await library.importArchive(archived(makeZip(newer)), { on_conflict: 'keep' });
  assert.deepEqual(
    kept.patterns.map(({ outcome }) => outcome),
    ['new', 'kept'],
  );
});

test('one bad entry refuses all of it, and a pattern alone is named after its archive', async () => {
  const before = await versions();
  const bad = [
    { name: 'patterns/fine/system.md', content: 'Fine.' },
    { name: '../x', content: 'x' },
  ];
  await assert.rejects(library.importArchive(archived(makeZip(bad)), {}), { code: 'invalid_archive' });
  await assert.rejects(library.importArchive(alpha(), {}), { code: 'invalid_request' });
  await assert.rejects(library.importArchive(archived(makeZip([])), {}), { code: 'invalid_tree' });
  const latin = [{ name: 'system.md', content: Buffer.from('Grüße', 'latin1') }];
  await assert.rejects(
    library.importArchive(archived(makeZip(latin)), {}),
    (error) => error instanceof AppError && /"system\.md" is not UTF-8 text/.test(error.message),
  );
  assert.equal(await versions(), before);
  const one = makeZip([{ name: 'system.md', content: 'Alone.' }]);
  const report = await library.importArchive(archived(one), { origin: '/home/me/be_brief.tar.gz' });
  assert.deepEqual(
    report.patterns.map(({ name }) => name),
    ['be_brief'],
  );
  assert.equal((await library.listPatterns(beta(), {})).items.length, 0);
});

test('neither an archive of 60,000 files nor a caller who leaves holds anybody up', async (context) => {
  const bytes = makeTar([
    ...Array.from({ length: 60_000 }, (_, index) => ({ name: `docs/${index}.txt`, content: 'x' })),
    { name: 'patterns/found/system.md', content: 'Found.' },
  ]);
  const pieces = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, index) =>
    bytes.subarray(index * 65_536, (index + 1) * 65_536),
  );
  const signal = new AbortController().signal;
  const held = await longestHold(async () => {
    const plan = await parts.planner.planArchive(pieces, { name: '', within: '' }, signal);
    assert.deepEqual([plan.patterns.length, plan.ignored.length], [1, 60_000]);
  });
  context.diagnostic(`the event loop was held for ${held.toFixed(1)} ms at most`);
  const leaving = new AbortController();
  const left = parts.planner.planArchive(pieces, { name: '', within: '' }, leaving.signal);
  leaving.abort();
  await assert.rejects(left, { code: 'unavailable' });
});

test('more imports at once than there is room for are asked to come back', async () => {
  const egress = createEgress({ allow: [], clock: parts.clock });
  const planner = createImportPlanner({ egress, clock: parts.clock, workers: 1, waiting: 1 });
  const signal = new AbortController().signal;
  const plan = () => planner.planArchive([makeZip(library1)], { name: '', within: '' }, signal);
  const all = await Promise.allSettled([plan(), plan(), plan()]);
  assert.deepEqual(
    all.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected'],
  );
  assert.equal((all[2] as PromiseRejectedResult).reason.code, 'overloaded');
  const last = assert.rejects(plan(), { code: 'unavailable' });
  await planner.close();
  await last;
  await assert.rejects(plan(), { code: 'unavailable' });
  await egress.close();
});
