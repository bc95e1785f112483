import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemClock } from '../../server/src/platform/clock.ts';
import { placeName, type SealedColumn } from '../../server/src/platform/crypto/sealed-column.ts';
import {
  canariesOf,
  dumpTables,
  type FullWorkspace,
  fillWorkspace,
  formsOf,
  sealedColumns,
  startFullWorkspace,
} from './full-workspace.ts';

const output = 'canary-of-the-output-7c1d';
let full: FullWorkspace;
const runs: string[] = [];
before(async () => {
  full = await startFullWorkspace(output);
  for (const number of [1, 2]) runs.push(await fillWorkspace(full, canariesOf(number), number));
});
after(() => full.stop());

// Bytes that are no sealed values, each with its reason.
const plain: Readonly<Record<string, string>> = {
  'identity.audit_entry.hash': 'a hash',
  'identity.audit_entry.previous': 'a hash',
  'identity.passkey.public_key': 'public',
  'pattern.claim.key': 'an HMAC',
  'pattern.claim.request': 'an HMAC',
  'platform.data_key.wrapped': 'wrapped by the key-encryption key; a rotation wraps it',
  'platform.index_key.sealed': 'sealed anew in the transaction that begins a rotation',
};

test('every column of bytes is known: sealed, and sealed anew by a rotation, or no secret', async () => {
  const rows = await full.sql<{ name: string }>(
    `select n.nspname || '.' || c.relname || '.' || a.attname as name
       from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
      where a.atttypid = 'bytea'::regtype and a.attnum > 0 and c.relkind in ('r', 'p') and not c.relispartition
        and n.nspname in ('identity', 'pattern', 'platform') order by 1`,
  );
  const known = [...sealedColumns.map(placeName), ...Object.keys(plain)].sort();
  assert.deepEqual(
    rows.map(({ name }) => name),
    known,
  );
});

test('whatever the services seal for a table is in their lists', async () => {
  const listed = new Set(sealedColumns.map(({ table }) => table));
  const root = join(import.meta.dirname, '../../server/src/services');
  const found = new Set<string>();
  for await (const file of glob('**/*.ts', { cwd: root })) {
    if (file.endsWith('.test.ts')) continue;
    for (const [, table] of readFileSync(join(root, file), 'utf8').matchAll(/table: '(\w+\.\w+)'/g))
      found.add(table as string);
  }
  assert.deepEqual(
    [...found].filter((table) => !listed.has(table)),
    [],
  );
});

test('nothing that was entrusted stands in any table', async () => {
  const dump = await dumpTables(full);
  const planted = { output, ...canariesOf(1) };
  const found = Object.entries(planted).flatMap(([what, text]) =>
    formsOf(text).flatMap((form) => (dump.includes(form) ? [what] : [])),
  );
  assert.deepEqual(found, []);
  // The search itself finds what does stand there.
  await full.sql(`update pattern.accepted set metadata = jsonb_build_object('canary', $1::text)`, [output]);
  assert.ok((await dumpTables(full)).includes(output));
});

interface Cell {
  readonly ctid: string;
  readonly sealed: Buffer;
  readonly fields: Record<string, string>;
}

const cellsOf = ({ table, column, key, also = [] }: SealedColumn) =>
  full.sql<Cell>(
    `select ctid::text, ${column} as sealed, jsonb_build_object(${[...Object.keys(key), ...also].map((name) => `'${name}', ${name}::text`).join(', ')}) as fields
       from ${table} where ${column} is not null and workspace = $1 limit 2`,
    [full.platform.alpha.id],
  );

test('no two sealed cells can be swapped, within a column or between two', async () => {
  const { vault } = full.platform.floor;
  const { id: workspace } = full.platform.alpha;
  const cells: { column: SealedColumn; cell: Cell }[] = [];
  for (const column of sealedColumns) {
    const found = await cellsOf(column);
    assert.ok(found.length > 0, `${placeName(column)} has nothing to try`);
    cells.push(...found.map((cell) => ({ column, cell })));
  }
  for (const { column, cell } of cells) {
    const place = column.place(cell.fields);
    await assert.doesNotReject(vault.open(workspace, place, cell.sealed), `${placeName(column)} at ${place.row}`);
    for (const other of cells) {
      if (other.cell === cell) continue;
      await assert.rejects(
        vault.open(workspace, place, other.cell.sealed),
        `${placeName(other.column)} as ${placeName(column)}`,
      );
    }
  }
});

test('who reads swapped texts is told, and gets nothing of either', async () => {
  const { platform, sql, model } = full;
  const swap = (table: string, column: string, key: string) =>
    sql(
      `with pair as (select ${key} as k, ${column} as v, row_number() over (order by ${key}) as n from ${table}
          where workspace = $1 and ${column} is not null and ${key}::text = any($2))
       update ${table} as t set ${column} = o.v from pair p join pair o on o.n <> p.n where t.${key} = p.k and t.workspace = $1`,
      [platform.alpha.id, [...runs, 'facts_1', 'facts_2', 'models_1', 'models_2', 'clock_1', 'clock_2']],
    );
  await swap('pattern.finished', 'payload', 'id');
  await swap('pattern.context', 'content', 'name');
  await swap('pattern.provider', 'api_key', 'name');
  await swap('pattern.timer', 'run', 'name');
  for (const path of [`/v1/runs/${runs[0]}`, '/v1/contexts/facts_1', '/v1/timers/clock_1']) {
    const reply = await platform.call('GET', path);
    assert.equal(reply.status, 503, `${path} ${reply.text}`);
    assert.match(reply.body.detail, /cannot be decrypted/, path);
    assert.doesNotMatch(reply.text, /canary/);
  }
  await sql(`update platform.topic set version = version + 1 where name = 'pattern.providers'`);
  const run = { pattern: 'greet_1', input: 'x', variables: { topic: 'x' }, model: 'models_1/x' };
  const before = model.calls.length;
  let reply = await platform.call('POST', '/v1/runs', run);
  for (let tries = 0; tries < 100 && reply.status === 200; tries++) {
    await systemClock.sleep(50);
    reply = await platform.call('POST', '/v1/runs', run);
  }
  assert.notEqual(reply.status, 200);
  assert.doesNotMatch(reply.text, /canary/);
  assert.deepEqual(
    model.calls.slice(before).filter(({ authorization = '' }) => authorization.includes('canary-2')),
    [],
  );
});
