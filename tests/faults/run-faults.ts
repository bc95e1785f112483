import { setTimeout as sleep } from 'node:timers/promises';
import { createDice } from '../../server/src/services/pattern/engine/simulation-for-tests.ts';
import { checkHistory, type Verdict } from './check-history.ts';
import { type Cluster, type ClusterOptions, startCluster } from './cluster.ts';
import type { Fault, World } from './fault.ts';
import { faults } from './fault-list.ts';
import { type Entry, type FaultLoad, misbehaviours, startFaultLoad } from './fault-load.ts';
import { gatherEvidence, look } from './gather-evidence.ts';
import { prepareLoad } from './prepare-load.ts';
import { post } from './server-processes.ts';

export interface FaultPlan extends ClusterOptions {
  /** `each`: every fault once; `mix`: by chance, for so many minutes; `chains`: 20 chains, and a kill every two seconds. */
  readonly mode: 'each' | 'mix' | 'chains';
  readonly minutes: number;
  readonly seed: number;
  /** Only these faults. */
  readonly only?: readonly string[];
  /** Clients ask for nothing else. */
  readonly load?: Entry['kind'];
  /** Milliseconds for all runs to end, once there are no more faults; 90 s where nothing is said. */
  readonly settleWithin?: number;
  readonly say: (line: string) => void;
}

export interface FaultReport extends Verdict {
  /** How often each fault was injected, by its number. */
  readonly injected: Readonly<Record<string, number>>;
  /** Faults that need what this run does not have, and what it is. */
  readonly impossible: Readonly<Record<string, string>>;
  /** What went wrong while a fault was done, with its number in front. */
  readonly wrong: readonly string[];
}

/** Milliseconds after the end of a fault within which each process must execute runs again. */
const healWithin = 60_000;

/** Injects faults under load and holds afterwards what everybody says against each other. */
export async function runFaults(plan: FaultPlan): Promise<FaultReport> {
  const { mode, say } = plan;
  const random = createDice(plan.seed).roll;
  const cluster = await startCluster(plan);
  const injected: Record<string, number> = {};
  const wrong: string[] = [];
  const seen = new Map<string, string>();
  let load: FaultLoad | undefined;
  try {
    await prepareLoad(cluster);
    const only = mode === 'chains' ? 'chain' : plan.load;
    load = startFaultLoad(cluster, { clients: mode === 'chains' ? 20 : 10, random, ...(only ? { only } : {}) });
    const world = { cluster, load, random };
    const ends = performance.now() + plan.minutes * 60_000;
    await sleep(2_000);
    if (mode === 'chains') injected.kill = await killEvery2s(world, () => performance.now() < ends, say);
    for (const group of pickFaults(plan, random, cluster, () => performance.now() < ends)) {
      const began = performance.now();
      const names = group.map(({ id, what }) => `${id} ${what}`).join('; ');
      const note = (error: unknown) => void wrong.push(`${names}: ${(error as Error).message}`);
      await Promise.all(group.map((fault) => fault.inject(world).catch(note)));
      for (const { id } of group) injected[id] = (injected[id] ?? 0) + 1;
      const done = performance.now();
      await heal(cluster, random).catch(note);
      await look(cluster, seen).catch(() => undefined);
      const [took, healed] = [done - began, performance.now() - done].map(Math.round);
      say(`${names}: ${took} ms, healed after ${healed} ms, ${load.history.length} requests so far`);
      await sleep(700);
    }
    await load.stop();
    const evidence = await gatherEvidence(cluster, load, { seen, within: plan.settleWithin ?? 90_000 });
    for (const { input } of evidence.ledger) {
      const id = misbehaviours[/!(\S+)/.exec(input)?.[1] as keyof typeof misbehaviours];
      if (id) injected[id] = (injected[id] ?? 0) + 1;
    }
    return { ...checkHistory(evidence), injected, impossible: impossibleIn(cluster), wrong };
  } finally {
    await load?.stop();
    await cluster.stop();
  }
}

/** SIGKILL to any process, the database too, every two seconds; what ended is started at once. Answers how many were killed. */
async function killEvery2s({ cluster, random }: World, goesOn: () => boolean, say: FaultPlan['say']): Promise<number> {
  const { members } = cluster;
  let kills = 0;
  const restarts = members.map(async (member) => {
    while (goesOn()) {
      // It may be killed while it starts.
      if (!member.runs) await member.start().catch(() => undefined);
      await sleep(50);
    }
  });
  while (goesOn()) {
    await sleep(2_000);
    const member = members[Math.floor(random() * (members.length + 1))];
    if (member) member.kill();
    else cluster.killDatabase();
    kills += 1;
    say(`kill ${kills}: ${member?.name ?? 'the database'}`);
  }
  await Promise.all(restarts);
  await heal(cluster, random);
  return kills;
}

/** Faults one after the other; those of different processes, each once, two at a time. */
function* pickFaults(plan: FaultPlan, random: () => number, cluster: Cluster, goesOn: () => boolean) {
  const without = impossibleIn(cluster);
  const possible = faults.filter(({ id }) => !(id in without) && (plan.only?.includes(id) ?? true));
  if (plan.mode === 'chains') return;
  if (plan.mode === 'mix') {
    while (goesOn()) yield [possible[Math.floor(random() * possible.length)] as Fault];
    return;
  }
  for (let rest = possible; rest.length > 0; ) {
    const [fault, ...others] = rest as [Fault, ...Fault[]];
    const other = others.find(({ at }) => at !== 'all' && fault.at !== 'all' && at !== fault.at);
    rest = others.filter((candidate) => candidate !== other);
    yield other ? [fault, other] : [fault];
  }
}

const needs = {
  rabbit: 'needs RabbitMQ: --rabbit, and the package rabbitmq-server',
  disk: 'needs a small file system: --disk, as root',
};

function impossibleIn(cluster: Cluster): Record<string, string> {
  return Object.fromEntries(
    faults.flatMap(({ id, needs: need }) => (need && !cluster[need] ? [[id, needs[need]]] : [])),
  );
}

/** Starts what ended, in any order, and waits until a run succeeds at every process. */
async function heal(cluster: Cluster, random: () => number): Promise<void> {
  const members = [...cluster.members].sort(() => random() - 0.5);
  await Promise.all(
    members.map((member) =>
      again(healWithin, async () => {
        if (!member.runs) await member.start();
      }),
    ),
  );
  const body = { pattern: 'steady', input: 'is it well', model: 'openai/well' };
  for (const { name, url } of members) {
    await again(healWithin, async () => {
      const answer = await Promise.race([post(url, cluster.key, '/v1/runs', body), sleep(10_000, null)]);
      if (answer?.status !== 200) throw new Error(`${name} answers ${answer?.status ?? 'nothing'} after it`);
    });
  }
}

async function again(milliseconds: number, act: () => Promise<void>): Promise<void> {
  for (const until = performance.now() + milliseconds; ; await sleep(300)) {
    try {
      return await act();
    } catch (error) {
      if (performance.now() > until) throw error;
    }
  }
}
