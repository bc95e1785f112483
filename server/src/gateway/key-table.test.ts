import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyTableRow } from '@damask/contracts/api-key.ts';
import { systemClock } from '#platform/clock.ts';
import { createKeyTable } from './key-table.ts';

const workspace = '018f0000-0000-7000-8000-000000000001';
const row = (number: number, more: Partial<KeyTableRow> = {}): KeyTableRow => ({
  id: `018f0000-0000-7000-8000-${String(number).padStart(12, '0')}`,
  workspace,
  name: `key ${number}`,
  role: 'runner',
  hash: `hash ${number}`,
  expires_at: null,
  ...more,
});

/** Answers like identity: by id, in pages. */
function serve(rows: () => readonly KeyTableRow[]) {
  return {
    readKeyTable: async (_context: unknown, { after = '', limit = 1 }: { after?: string; limit?: number }) => {
      const rest = rows().filter(({ id }) => id > after);
      const items = rest.slice(0, limit);
      const last = items.at(-1);
      return rest.length > limit && last ? { items, next: last.id } : { items };
    },
  };
}

test('all pages are read and each key is found by its hash and by its id', async () => {
  const rows = Array.from({ length: 2_501 }, (_, i) => row(i));
  const table = createKeyTable({ identity: serve(() => rows), clock: systemClock });
  assert.equal(table.find('hash 0'), undefined);
  await table.load();
  assert.equal(table.size, 2_501);
  for (const number of [0, 999, 1_000, 2_500]) {
    assert.deepEqual(table.find(`hash ${number}`)?.row, row(number));
    assert.equal(table.read(row(number).id), table.find(`hash ${number}`));
  }
  for (const hash of ['', 'hash', 'hash 2501', '__proto__', 'constructor']) assert.equal(table.find(hash), undefined);
});

test('an expired key is not found from the very millisecond on', async () => {
  let now = Date.parse('2031-01-01T00:00:00Z');
  const clock = { ...systemClock, now: () => now };
  const table = createKeyTable({ identity: serve(() => [row(1, { expires_at: '2031-01-01T00:00:01Z' })]), clock });
  await table.load();
  now += 999;
  assert.ok(table.find('hash 1'));
  now += 1;
  assert.equal(table.find('hash 1'), undefined);
});

test('a failing load leaves the table as it was', async () => {
  let fail = false;
  const rows = Array.from({ length: 1_500 }, (_, i) => row(i));
  const good = serve(() => rows);
  const table = createKeyTable({
    identity: {
      readKeyTable: (context, input) => {
        if (fail && input.after) throw new Error('gone between two pages');
        return good.readKeyTable(context, input);
      },
    },
    clock: systemClock,
  });
  await table.load();
  const { generation } = table;
  fail = true;
  rows.pop();
  await assert.rejects(table.load());
  assert.equal(table.generation, generation);
  assert.ok(table.find('hash 1499'));
  fail = false;
  await table.load();
  assert.notEqual(table.generation, generation);
  assert.equal(table.find('hash 1499'), undefined);
});

test('of two loads at once the later one wins, in whichever order they end', async () => {
  const gates: (() => void)[] = [];
  let rows = [row(1), row(2)];
  const table = createKeyTable({
    identity: {
      readKeyTable: async () => {
        const items = rows;
        await new Promise<void>((resolve) => gates.push(resolve));
        return { items };
      },
    },
    clock: systemClock,
  });
  const older = table.load();
  rows = [row(1)];
  const newer = table.load();
  gates[1]?.();
  await newer;
  gates[0]?.();
  await older;
  assert.equal(table.find('hash 2'), undefined);
});

test('a table that never ends is given up', async () => {
  const identity = { readKeyTable: async () => ({ items: [row(1)], next: row(1).id }) };
  const table = createKeyTable({ identity, clock: systemClock });
  await assert.rejects(table.load());
});
