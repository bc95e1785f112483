import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { dumpTables } from '../../server/src/services/pattern/privacy/dump-for-tests.ts';
import { startTestPlatform, type TestPlatform } from '../../server/src/testing/test-platform.ts';
import { formCount, formsOf } from './canary.ts';
import { makeTrouble, runCommands, takeBackups, takeExports } from './disturb.ts';
import { driveSurface, makeWorld } from './drive-surface.ts';
import { createGarden, type Garden, plantAll, signInAll } from './plant.ts';
import { createRecorder, type Recorder } from './record-answers.ts';
import { createSearch, type Hit } from './search.ts';
import { dumpsOf, type Sink, sinksOfFiles, sinksOfPackages, sinksOfProcesses, sinksOfTables } from './sinks.ts';
import { askDatabase, type Planted, startApart, startEmbedded } from './start-planted.ts';

/** Another process on the same database: it makes workspaces, and later opens what is sealed. */
const beside = (planted: Planted) =>
  startTestPlatform({
    beside: { folder: planted.home.path, connection: planted.connection } as TestPlatform,
    environment: { ...planted.environment, HOME: planted.home.path, DAMASK_WORKER_SLOTS: '0' },
  });

const ownAnswers = 'answers to who may read';
const opened = 'sealed columns, opened';

const whereTextsMay = new Set([ownAnswers, opened, 'exports of what somebody said', 'commands of who may read']);
const ownWire: Readonly<Record<string, string>> = { 'broker password': 'rabbitmq', 'redis password': 'redis' };

/** Where a canary may be. */
function isMeant({ canary, sink }: Hit, kind: string, content: string | Buffer, { toldIn }: Garden): boolean {
  if (canary.kind === 'text') return whereTextsMay.has(kind);
  // Whoever signs in says the password.
  if (kind === `what went to ${ownWire[canary.name]}`) return true;
  if (canary.kind === 'unstored') return kind === ownAnswers && sink.startsWith('POST /v1/runs ');
  if (kind === opened) return /^pattern\.provider|^identity\.identity_provider/.test(sink);
  return kind === ownAnswers && toldIn.get(canary.name) === content;
}

async function sweep(t: TestContext, planted: Planted, victim: string): Promise<void> {
  const recorder: Recorder = createRecorder(planted.url);
  const garden = createGarden(recorder);
  const database = askDatabase(planted);
  const folder = await mkdtemp(join(tmpdir(), 'damask-canary-'));
  try {
    for (const [name, value] of Object.entries(planted.secrets)) {
      garden.canaries.push({ name, kind: 'secret', core: Buffer.from(value as string) });
    }
    const first = await beside(planted);
    const { alpha, beta } = first;
    await first.stop();
    garden.grow('owner key of alpha', alpha.ownerKey, false);
    garden.grow('owner key of beta', beta.ownerKey, false);
    await untilKnown(recorder, [alpha.ownerKey, beta.ownerKey]);
    const seeds = await plantAll(planted, recorder, garden, alpha.ownerKey);
    await signInAll(recorder, garden, alpha.ownerKey);
    const world = await makeWorld(planted, recorder, database.sql, { alpha, beta });
    const wrongPlaces = `sk-${garden.plant('secret', 'secret in a wrong place')}`;
    const { asked, refused } = await driveSurface(world, recorder, {
      secrets: [wrongPlaces],
      keys: [seeds.providerKey, String(planted.secrets['operator provider key'])],
    });
    const logs = await makeTrouble(planted, recorder, garden, seeds, database.sql, victim);
    const sinks: Sink[] = [...(await runCommands(planted, alpha.ownerKey)), ...(await takeBackups(planted))];
    const subject = garden.canaries.find(({ name }) => name === 'name of a data subject');
    assert.ok(subject);
    sinks.push(...(await takeExports(planted, alpha.ownerKey, subject)));
    const wrong = dumpsOf(planted);
    sinks.push(...(await sinksOfProcesses(planted, logs)), ...(await sinksOfTables(database.sql)));
    const second = await beside(planted);
    const dump = await dumpTables(second).finally(() => second.stop());
    sinks.push(...dump.opened.map(({ column, content }) => ({ kind: opened, name: column, content })));
    sinks.push(...sinksOfFiles(planted.home.path, wrong));
    sinks.push(...sinksOfPackages(join(folder, 'packages'), planted.environment));
    for (const { name, who, content } of recorder.answers) {
      sinks.push({ kind: who === 'owner' ? ownAnswers : 'answers to others', name, content });
    }
    const search = createSearch(garden.canaries);
    const found = sinks.flatMap(({ kind, name, content }) =>
      search.look(name, content).map((hit) => ({ hit, kind, meant: isMeant(hit, kind, content, garden) })),
    );
    const bad = found.filter(({ meant }) => !meant);
    for (const { hit, kind } of bad)
      wrong.push(`${hit.canary.name}, ${hit.form}, in ${kind}: ${hit.sink}: ${hit.around}`);
    const kinds = [...new Set(sinks.map(({ kind }) => kind))];
    // Each kind of place gets one canary: a search that is blind in one of them would say that all is well.
    for (const [index, kind] of kinds.entries()) {
      const one = sinks
        .filter((sink) => sink.kind === kind)
        .sort((a, b) => b.content.length - a.content.length)[0] as Sink;
      const canary = garden.canaries[index % garden.canaries.length] as (typeof garden.canaries)[number];
      const content = Buffer.from(one.content as string);
      const middle = content.length >> 1;
      for (const [form, bytes] of formsOf(canary.core)) {
        const spoilt = Buffer.concat([content.subarray(0, middle), bytes, content.subarray(middle)]);
        const hits = search.look(one.name, spoilt);
        if (!hits.some((hit) => hit.canary === canary && hit.form === form))
          wrong.push(`A control in ${kind}, ${form}, was not found`);
        if (content.length > 1_000_000) break;
      }
    }
    const secrets = garden.canaries.filter(({ kind }) => kind === 'secret').length;
    t.diagnostic(
      `${garden.canaries.length} canaries (${secrets} secrets) x ${formCount} forms x ${sinks.length} sinks of ${kinds.length} kinds, ${Math.round(search.bytes / 1e6)} MB, ${recorder.answers.length} answers (${asked} of the whole surface): ${bad.length} where they must not be, ${found.length - bad.length} where they may; ${kinds.length} controls found`,
    );
    const size = (kind: string) =>
      sinks.filter((sink) => sink.kind === kind).reduce((sum, { content }) => sum + content.length, 0);
    t.diagnostic(kinds.map((kind) => `${kind} ${Math.ceil(size(kind) / 1_000)} KB`).join(', '));
    t.diagnostic(`what was refused to the owner: ${refused.toSorted().join(', ')}`);
    for (const one of planted.left) t.diagnostic(`left out: ${one}`);
    const texts = new Set(found.filter(({ kind }) => kind === ownAnswers).map(({ hit }) => hit.canary.name));
    assert.ok(texts.has('output') && texts.has('input'), 'who may read reads nothing');
    assert.deepEqual([...new Set(wrong)].slice(0, 40), []);
  } finally {
    recorder.close();
    await database.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function untilKnown(recorder: Recorder, keys: readonly string[]) {
  for (const key of keys) {
    for (
      let look = 0;
      (await recorder.send('owner', 'GET', '/v1/patterns', { key })).body.items?.length === undefined;
      look++
    ) {
      assert.ok(look < 200, 'A workspace is never known');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

test('S-1: no secret and no text is anywhere that it must not be: four processes, RabbitMQ, Redis, a database of the operator', async (t) => {
  const planted = await startApart();
  await sweep(t, planted, 'worker').finally(() => planted.stop());
});

test('S-1: no secret and no text is anywhere that it must not be: two processes and the embedded database', async (t) => {
  const planted = await startEmbedded();
  await sweep(t, planted, 'edge').finally(() => planted.stop());
});
