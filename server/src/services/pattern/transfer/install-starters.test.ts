import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { StoredEvent } from '#platform/events.ts';
import { libraryForTests } from '../library/library-for-tests.ts';
import { createStarterReader } from './install-starters.ts';

const { library, parts, alpha, beta, sql, stop } = await libraryForTests();
after(stop);

const house = fileURLToPath(new URL('../../../../../patterns', import.meta.url));
const created = (workspace: string): StoredEvent => ({
  id: parts.clock.uuid(),
  workspace,
  at: new Date(),
  name: 'identity.workspace-created',
  version: 1,
  data: { workspace, name: 'new' },
});
const namesOf = ({ items }: { items: { name: string }[] }) => items.map(({ name }) => name);

test('a new workspace gets the starters of the house, once', async () => {
  const reader = createStarterReader(parts, house);
  assert.equal(reader.source, 'identity');
  await reader.handle({ ...created(alpha().workspace), name: 'identity.key-created', data: { key: '', role: '' } });
  assert.deepEqual(namesOf(await library.listPatterns(alpha(), {})), []);
  await reader.handle(created(alpha().workspace));
  const { items } = await library.listPatterns(alpha(), {});
  assert.ok(items.length >= 5);
  for (const { source, disabled_capabilities } of items) {
    assert.deepEqual(source, { kind: 'starter' });
    assert.deepEqual(disabled_capabilities, []);
  }
  assert.ok(items.some(({ name }) => name === 'summarize'));
  assert.ok((await library.listStrategies(alpha(), {})).items.length >= 3);
  assert.deepEqual(await library.listPatterns(beta(), {}), { items: [] });

  const count = () => sql('select xact from pattern.pattern union all select xact from pattern.outbox order by xact');
  const before = await count();
  await reader.handle(created(alpha().workspace));
  assert.deepEqual(await count(), before);
  const [audit] = await sql<object>('select actor_kind, action, subject from pattern.audit');
  assert.deepEqual(audit, { actor_kind: 'system', action: 'installStarters', subject: 'library' });
});

test('an event that comes again keeps what was edited, and an import takes the place of an unedited starter', async () => {
  const reader = createStarterReader(parts, house);
  await library.publishVersion(alpha(), { pattern: 'summarize', system: 'Mine.' });
  await reader.handle(created(alpha().workspace));
  assert.equal((await library.readPattern(alpha(), { pattern: 'summarize' })).version, 2);

  const files = ['summarize', 'explain_code'].map((name) => ({
    path: `patterns/${name}/system.md`,
    content: `Theirs: ${name}.`,
  }));
  const [explain, summarize] = (await library.importTree(alpha(), { files, dry_run: true })).patterns;
  assert.deepEqual([explain?.outcome, summarize?.outcome], ['replaced', 'conflict']);
  await library.importTree(alpha(), { files: files.slice(1) });
  await reader.handle(created(alpha().workspace));
  const [, imported] = (await library.importTree(alpha(), { files, on_conflict: 'keep' })).patterns;
  assert.equal(imported?.outcome, 'kept');
  const again = (
    await library.importTree(alpha(), { files: [{ path: 'patterns/explain_code/system.md', content: 'Next.' }] })
  ).patterns;
  assert.deepEqual(
    again.map(({ outcome }) => outcome),
    ['changed'],
  );
});

test('a folder that cannot be read fails the event, and the next try reads it again', async (t) => {
  const place = await mkdtemp(join(tmpdir(), 'damask starters '));
  t.after(() => rm(place, { recursive: true }));
  const folder = join(place, 'patterns');
  const reader = createStarterReader(parts, folder);
  await assert.rejects(reader.handle(created(beta().workspace)));
  await mkdir(join(folder, 'hello'), { recursive: true });
  await writeFile(join(folder, 'hello', 'system.md'), 'Say hello.');
  await reader.handle(created(beta().workspace));
  assert.deepEqual(namesOf(await library.listPatterns(beta(), {})), ['hello']);
});
