import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ModelServer, startModelServer } from '../../server/src/platform/testing/model-server.ts';
import { createScript, type Story, tellStory } from './one-story.ts';
import type { Topology } from './start-topology.ts';

const statusesOf = (story: Story) => story.flatMap(([, answer]) => (answer as { status?: number }).status ?? []);

type Start = (environment: Record<string, string>) => Promise<Topology>;

/** Tests that tell one story to the platform in each of these forms, and expect the same answers. */
export function expectSameAnswers(forms: Readonly<Record<string, Start>>): void {
  const { script, goOn } = createScript();
  let model: ModelServer;
  let expected: Story | undefined;
  before(async () => {
    model = await startModelServer(script);
  });
  after(() => model.close());
  for (const [what, start] of Object.entries(forms)) {
    test(`${what}: the same requests get the same answers`, async () => {
      const topology = await start({ OPENAI_BASE_URL: model.url, OPENAI_API_KEY: 'sk-of-the-test' });
      try {
        const story = await tellStory(topology, model, goOn);
        expected ??= story;
        assert.deepEqual(story, expected);
        const statuses = new Set(statusesOf(story));
        for (const status of [200, 201, 400, 401, 403, 404, 405, 409, 422, 502, 504])
          assert.ok(statuses.has(status), `${status}`);
        for (const [services, { log }] of Object.entries(topology.processes)) {
          assert.doesNotMatch(log(), /"level":"error"/, `the log of ${services}`);
        }
      } finally {
        await topology.stop();
      }
    });
  }
}
