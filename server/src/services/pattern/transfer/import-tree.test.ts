import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ImportReport } from '@damask/contracts/transfer.ts';
import type { CallContext } from '#platform/call.ts';
import { libraryForTests, longestHold } from '../library/library-for-tests.ts';
import { importTree } from './import-tree.ts';

const { library, parts, alpha, beta, leftBy, topic, sql, stop } = await libraryForTests();
after(stop);

type Files = { path: string; content: string }[];
const tree = (patterns: Record<string, string>, strategies: Record<string, string> = {}): Files => [
  ...Object.entries(patterns).map(([name, content]) => ({ path: `data/patterns/${name}/system.md`, content })),
  ...Object.entries(strategies).map(([name, prompt]) => ({
    path: `data/strategies/${name}.json`,
    content: JSON.stringify({ description: name, prompt }),
  })),
];
const outcomes = ({ patterns }: ImportReport) =>
  Object.fromEntries(patterns.map(({ name, outcome, version }) => [name, `${outcome} ${version}`]));
const coded = (code: string) => (error: unknown) => (error as { code?: string }).code === code;
const countRows = async () => {
  const counts = await sql<{ rows: string }>(
    `select (select count(*) from pattern.pattern)::text || ' ' || (select count(*) from pattern.version) || ' ' ||
      (select count(*) from pattern.file) || ' ' || (select count(*) from pattern.strategy) || ' ' ||
      (select count(*) from pattern.audit) || ' ' || (select count(*) from pattern.outbox) as rows`,
  );
  return counts[0]?.rows;
};

test('a tree is imported with its report, versions, traces and nothing else', async () => {
  const caller = alpha();
  const files = [
    ...tree({ one: 'About {{topic}}. {{BaseURL}} {{plugin:sys:user}}', two: 'Two.' }, { slow: 'Think.' }),
    { path: 'data/patterns/two/README.md', content: 'Why two.' },
    { path: 'LICENSE', content: 'MIT' },
  ];
  const report = await library.importTree(caller, { files, origin: 'https://example.org/patterns' });
  const patterns = report.patterns.map(({ warnings: _, ...row }) => row);
  assert.deepEqual(
    { ...report, patterns },
    {
      committed: true,
      source: { origin: 'https://example.org/patterns' },
      patterns: [
        {
          name: 'one',
          outcome: 'new',
          version: 1,
          variables: ['topic'],
          literal_tokens: ['{{BaseURL}}'],
          disabled_capabilities: ['{{plugin:sys:user}}'],
        },
        { name: 'two', outcome: 'new', version: 1, variables: [], literal_tokens: [], disabled_capabilities: [] },
      ],
      strategies: [{ name: 'slow', outcome: 'new' }],
      ignored: [{ path: 'LICENSE', reason: 'outside the folder of patterns' }],
      ignored_total: 1,
    },
  );
  const two = await library.readVersion(alpha(), { pattern: 'two', version: 1 });
  assert.deepEqual(two.source, { kind: 'import', origin: 'https://example.org/patterns' });
  assert.deepEqual(
    two.files.map(({ path }) => path),
    ['README.md', 'system.md'],
  );
  const { audit, events } = await leftBy(caller);
  assert.deepEqual(audit, [
    {
      action: 'importTree',
      subject: 'library',
      details: {
        source: { kind: 'import', origin: 'https://example.org/patterns' },
        on_conflict: 'fail',
        patterns: { one: 1, two: 1 },
        strategies: ['slow'],
      },
    },
  ]);
  assert.deepEqual(
    events.map(({ name }) => name.replace('pattern.', '')),
    ['pattern-created', 'version-published', 'pattern-created', 'version-published', 'strategy-put', 'tree-imported'],
  );
  assert.deepEqual(events.at(-1)?.data, { patterns: 2, changed: 2, strategies: 1 });
});

test('the same tree again changes nothing, and a dry run never does', async () => {
  const files = tree({ again: 'Again.' }, { again: 'Again.' });
  const dry = await library.importTree(alpha(), { files, dry_run: true });
  assert.equal(dry.committed, false);
  assert.deepEqual(outcomes(dry), { again: 'new 1' });
  await assert.rejects(library.readPattern(alpha(), { pattern: 'again' }), coded('not_found'));
  await library.importTree(alpha(), { files });
  const [rows, moved] = [await countRows(), await topic()];
  const report = await library.importTree(alpha(), { files });
  assert.deepEqual(outcomes(report), { again: 'same 1' });
  assert.deepEqual(report.strategies, [{ name: 'again', outcome: 'same' }]);
  assert.deepEqual([await countRows(), await topic()], [rows, moved]);
});

test('what was not edited here moves on; what was edited is a conflict that names itself and stops everything', async () => {
  await library.importTree(alpha(), { files: tree({ calm: 'Calm 1.', wild: 'Wild 1.' }, { plan: 'Plan 1.' }) });
  await library.publishVersion(alpha(), { pattern: 'wild', system: 'Wild, edited here.' });
  await library.putStrategy(alpha(), { strategy: 'plan', prompt: 'Plan, edited here.' });
  await library.createPattern(alpha(), { name: 'own', system: 'Own.' });
  const files = tree({ calm: 'Calm 2.', wild: 'Wild 2.', own: 'Foreign.' }, { plan: 'Plan 2.' });
  const before = await countRows();
  await assert.rejects(library.importTree(alpha(), { files }), (error: never) => {
    const { code, message, details } = error as {
      code: string;
      message: string;
      details: { problems: { detail: string }[] };
    };
    assert.equal(code, 'import_conflict');
    assert.match(message, /pattern own \(version 1\), pattern wild \(version 2\), strategy plan/);
    assert.deepEqual(
      details.problems.map(({ detail }) => detail.split(' ', 2)[1]),
      ['own', 'wild', 'plan'],
    );
    return true;
  });
  assert.equal(await countRows(), before);
  const dry = await library.importTree(alpha(), { files, dry_run: true });
  assert.deepEqual(outcomes(dry), { calm: 'changed 2', own: 'conflict null', wild: 'conflict null' });
  assert.deepEqual(dry.strategies, [{ name: 'plan', outcome: 'conflict' }]);

  const kept = await library.importTree(alpha(), { files, on_conflict: 'keep' });
  assert.deepEqual(outcomes(kept), { calm: 'changed 2', own: 'kept 1', wild: 'kept 2' });
  assert.equal((await library.readStrategy(alpha(), { strategy: 'plan' })).prompt, 'Plan, edited here.');
  assert.deepEqual((await library.readPattern(alpha(), { pattern: 'own' })).source, { kind: 'api' });
  // The decision holds until upstream moves again.
  assert.deepEqual(outcomes(await library.importTree(alpha(), { files })), {
    calm: 'same 2',
    own: 'kept 1',
    wild: 'kept 2',
  });
  const next = tree({ wild: 'Wild 3.' });
  await assert.rejects(library.importTree(alpha(), { files: next }), coded('import_conflict'));

  const replaced = await library.importTree(alpha(), { files: next, on_conflict: 'replace', origin: 'there' });
  assert.deepEqual(outcomes(replaced), { wild: 'replaced 3' });
  const wild = await library.readPattern(alpha(), { pattern: 'wild' });
  assert.deepEqual([wild.version, wild.source], [3, { kind: 'import', origin: 'there' }]);
  assert.deepEqual(outcomes(await library.importTree(alpha(), { files: tree({ wild: 'Wild 4.' }) })), {
    wild: 'changed 4',
  });
});

test('content that was written here first and then arrives from outside follows upstream from then on', async () => {
  await library.createPattern(alpha(), { name: 'twin', system: 'Same.' });
  assert.deepEqual(outcomes(await library.importTree(alpha(), { files: tree({ twin: 'Same.' }) })), { twin: 'same 1' });
  assert.deepEqual(outcomes(await library.importTree(alpha(), { files: tree({ twin: 'Next.' }) })), {
    twin: 'changed 2',
  });
});

test('descriptions and tags from outside the folder stay with versions that are published here', async () => {
  const descriptions = { patterns: [{ patternName: 'told', description: 'Told outside.', tags: ['ALPHA'] }] };
  const files = [
    ...tree({ told: 'A first paragraph.' }),
    { path: 'scripts/pattern_descriptions/pattern_descriptions.json', content: JSON.stringify(descriptions) },
  ];
  await library.importTree(alpha(), { files });
  for (const system of ['Another paragraph.', 'A third one.']) {
    const { description, tags } = await library.publishVersion(alpha(), { pattern: 'told', system });
    assert.deepEqual([description, tags], ['Told outside.', ['ALPHA']]);
  }
  const { description } = await library.createPattern(alpha(), { name: 'derived', system: 'Derived one.' });
  assert.equal(description, 'Derived one.');
  assert.equal(
    (await library.publishVersion(alpha(), { pattern: 'derived', system: 'Derived two.' })).description,
    'Derived two.',
  );
});

test('a bad tree is refused as a whole with every place', async () => {
  const before = await countRows();
  const files = [...tree({ good: 'Good.', empty: '' }), { path: 'data/patterns/../x/system.md', content: 'x' }];
  await assert.rejects(library.importTree(alpha(), { files }), coded('invalid_tree'));
  await assert.rejects(
    library.importTree(alpha(), { files: tree({ empty: '', good: 'Good.' }) }),
    coded('invalid_tree'),
  );
  await assert.rejects(
    library.importTree(alpha(), { files: [{ path: 'notes.txt', content: 'x' }] }),
    coded('invalid_tree'),
  );
  assert.equal(await countRows(), before);
});

test('imports of the same tree at once agree, and meet publishes without losing a number', async () => {
  const files = tree(Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`c${index}`, `Text ${index}.`])));
  await Promise.all([1, 2, 3].map(() => library.importTree(beta(), { files })));
  const changed = files.map(({ path, content }) => ({ path, content: `${content} Changed.` }));
  await Promise.all([
    library.importTree(beta(), { files: changed, on_conflict: 'replace' }),
    ...Array.from({ length: 10 }, (_, index) =>
      library.publishVersion(beta(), { pattern: `c${index}`, system: 'Published.' }),
    ),
  ]);
  for (let index = 0; index < 20; index++) {
    const { version } = await library.readPattern(beta(), { pattern: `c${index}` });
    const { items } = await library.listVersions(beta(), { pattern: `c${index}` });
    assert.equal(version, index < 10 ? 3 : 2);
    assert.deepEqual(
      items.map((item) => item.version),
      Array.from({ length: version }, (_, from) => version - from),
    );
  }
});

const fabric = join(import.meta.dirname, '../../../../../../shared/fabric-library');
const skip = existsSync(fabric) ? false : 'a clone of Fabric is needed at ../shared/fabric-library';

test('the whole Fabric library is imported in under 3 s and holds nobody up', { skip }, async (context) => {
  const files: Files = [];
  for (const entry of await readdir(fabric, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.push({ path: path.slice(fabric.length + 1), content: await readFile(path, 'utf8') });
  }
  // Without the door, which copies everything as JSON in tests.
  const timed = async (caller: CallContext) => {
    let report: ImportReport | undefined;
    const from = performance.now();
    const held = await longestHold(async () => {
      report = await importTree(parts, caller, { files, origin: 'fabric' });
    });
    const ms = performance.now() - from;
    context.diagnostic(`${ms.toFixed(0)} ms; the event loop was held for ${held.toFixed(1)} ms at most`);
    return { report: report as ImportReport, ms, held };
  };
  const first = await timed(beta());
  // Twice, since other tests share the machine: the quicker one counts.
  const elsewhere = await timed({ ...beta(), workspace: parts.clock.uuid() });
  assert.ok(Math.min(first.ms, elsewhere.ms) < 3_000);
  assert.ok(Math.min(first.held, elsewhere.held) < 20);
  assert.equal(first.report.patterns.length, 255);
  assert.equal(first.report.strategies.length, 9);
  assert.ok(first.report.patterns.every(({ outcome }) => outcome === 'new'));
  const byName = new Map(first.report.patterns.map((pattern) => [pattern.name, pattern]));
  assert.deepEqual(byName.get('write_essay')?.variables, ['author_name']);
  assert.deepEqual(byName.get('write_nuclei_template_rule')?.variables, []);
  assert.ok((byName.get('write_nuclei_template_rule')?.literal_tokens.length ?? 0) > 0);

  const rows = await countRows();
  const again = await timed(beta());
  assert.ok(again.report.patterns.every(({ outcome }) => outcome === 'same'));
  assert.equal(await countRows(), rows);
  const { content } = files.find(({ path }) => path === 'data/patterns/summarize/system.md') as Files[number];
  const stored = await library.readVersion(beta(), { pattern: 'summarize', version: 1 });
  assert.equal(stored.files.find(({ path }) => path === 'system.md')?.content, content);
  assert.ok(stored.tags.length > 0);
});
