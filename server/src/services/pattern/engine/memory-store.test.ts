import { systemClock } from '#platform/clock.ts';
import { createMemoryStore } from './memory-store-for-tests.ts';
import { testStoreContract } from './store-contract-for-tests.ts';

testStoreContract('in memory', async () => {
  const memory = createMemoryStore({ clock: systemClock });
  return {
    ...memory,
    async add({ deadline, readyAt } = {}) {
      const id = systemClock.uuid();
      memory.add({ workspace: 'workspace', id, deadline: deadline ?? null, readyAt: readyAt ?? null });
      return id;
    },
    claim: async (run) => memory.claim('worker', run),
    takeOver: async (run) => memory.takeOver('worker', run),
    decide: async (run, path, decision) => memory.decide(run, path, { ...decision, at: systemClock.now() }),
    endOf: async (run) => memory.ends.get(run)?.[0],
    now: async () => systemClock.now(),
    close: async () => undefined,
  };
});
