import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import { type ModelServer, startModelServer } from '#platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';
import type { ClaimRow } from './claim-store.ts';
import { ClaimFailed, createClaimWriter } from './claim-writer.ts';
import type { AcceptedRow } from './record.ts';
import { readAccepted } from './store.ts';

let platform: TestPlatform;
let model: ModelServer;
let database: Database;

before(async () => {
  model = await startModelServer();
  platform = await startTestPlatform({ modelUrl: model.url });
  database = platform.floor.database;
});
after(async () => {
  await platform.stop();
  await model.close();
});

function make(name: string): { claim: ClaimRow; row: AcceptedRow } {
  const workspace = platform.alpha.id;
  const id = systemClock.uuid();
  const row: AcceptedRow = {
    workspace,
    id,
    process: randomUUID(),
    accepted_at: new Date().toISOString(),
    pattern: 'greet',
    version: 1,
    digest: '0'.repeat(64),
    environment: null,
    label: null,
    strategy: null,
    context: null,
    session: null,
    language: null,
    model: 'openai/test',
    stream: false,
    actor: randomUUID(),
    metadata: {},
  };
  const key = createHash('sha256').update(name).digest();
  return { claim: { workspace, operation: 'createRun', key, request: randomBytes(32), run: id }, row };
}

const isAccepted = (id: string) =>
  database.transaction({ role: 'pattern', workspace: platform.alpha.id }, async (transaction) =>
    Boolean(await readAccepted(transaction, id)),
  );

test('of two processes that claim the same keys in different orders each key gets one, and only its run is accepted', async () => {
  const writers = [createClaimWriter(database), createClaimWriter(database)];
  const keys = Array.from({ length: 150 }, (_, at) => `contended ${at}`);
  const asked = writers.flatMap((writer, at) =>
    (at === 0 ? keys : keys.toReversed()).map((key) => ({ key, writer, ...make(key) })),
  );
  const answers = await Promise.all(
    asked.map(async ({ key, writer, claim, row }) => ({ key, row, owner: await writer.claim(claim, row) })),
  );
  for (const mine of Map.groupBy(answers, ({ key }) => key).values()) {
    const [won, lost] = [mine.filter(({ owner }) => !owner), mine.filter(({ owner }) => owner)];
    assert.equal(won.length, 1);
    assert.equal(lost[0]?.owner?.run, won[0]?.row.id);
    assert.equal(await isAccepted(won[0]?.row.id ?? ''), true);
    assert.equal(await isAccepted(lost[0]?.row.id ?? ''), false);
  }
});

test('the same key twice in one group has one owner', async () => {
  const writer = createClaimWriter(database);
  const all = Array.from({ length: 20 }, () => make('twins'));
  const owners = await Promise.all(all.map(({ claim, row }) => writer.claim(claim, row)));
  assert.equal(owners.filter((owner) => owner === undefined).length, 1);
});

test('a row that the database refuses does not harm those that are written with it', async () => {
  const writer = createClaimWriter(database);
  const first = writer.claim(make('first').claim, make('first').row).catch(() => undefined);
  const [good, bad] = [make('good'), make('bad')];
  const results = await Promise.allSettled([
    writer.claim(good.claim, good.row),
    writer.claim(bad.claim, { ...bad.row, digest: 'a\0b' }),
  ]);
  await first;
  assert.equal(results[0]?.status, 'fulfilled');
  assert.equal(results[1]?.status, 'rejected');
  assert.equal(await isAccepted(good.row.id), true);
});

test('whether a lost reply meant a commit is said to be unknown, and the next attempt finds its own claim', async () => {
  let lost = false;
  const writer = createClaimWriter({
    async transaction(scope, work) {
      const result = await database.transaction(scope, work);
      if (lost) return result;
      lost = true;
      throw new Error('The reply to the commit was lost');
    },
  });
  const { claim, row } = make('lost reply');
  await assert.rejects(writer.claim(claim, row), (error: ClaimFailed) => error instanceof ClaimFailed && error.asked);
  assert.equal((await writer.claim(claim, row))?.run, row.id);
  const unreachable = createClaimWriter({ transaction: () => Promise.reject(new Error('Nobody is there')) });
  await assert.rejects(unreachable.claim(claim, row), (error: ClaimFailed) => !error.asked);
});
