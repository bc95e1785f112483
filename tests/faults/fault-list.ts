import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Member } from './cluster.ts';
import type { Fault, World } from './fault.ts';
import { followSlowRun } from './follow-slow-run.ts';
import type { Failpoint } from './planted-server.ts';
import { rabbitFaults } from './rabbit-faults.ts';

const third = ({ cluster }: World) => cluster.members[2] as Member;
const second = ({ cluster }: World) => cluster.members[1] as Member;

async function dieAt(world: World, point: Failpoint) {
  const member = third(world);
  member.arm(point);
  const how = await Promise.race([member.ended(), sleep(30_000, 'nobody came there')]);
  if (how !== 'SIGKILL') throw new Error(`${point}: ${how}`);
}

async function pause(member: Member, milliseconds: number) {
  member.signal('SIGSTOP');
  await sleep(milliseconds);
  member.signal('SIGCONT');
}

async function endWithin(member: Member, milliseconds: number, right: string) {
  const how = await Promise.race([member.ended(), sleep(milliseconds, 'it did not end in time')]);
  if (how !== right) throw new Error(`${member.name} ended with ${how} instead of ${right}`);
}

async function withOwner(world: World, work: (client: pg.Client) => Promise<unknown>) {
  const client = await world.cluster.connect();
  try {
    await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

const held = `select count(*)::int as runs from pattern.task join pattern.accepted using (workspace, id)
  join platform.process on process.id = owner where process.pid = $1 and metadata ->> 'input' like '%!slow'`;

/** Whoever is free takes what is queued: until it has some of it, more is queued. */
async function holdSlowRuns({ load }: World, client: pg.Client, member: Member) {
  for (let rounds = 0; rounds < 20; rounds++) {
    await Promise.all(Array.from({ length: 4 }, () => load.queueSlow(member)));
    await sleep(300);
    const { rows } = await client.query<{ runs: number }>(held, [member.pid]);
    if ((rows[0]?.runs ?? 0) >= 4) return;
  }
  throw new Error(`${member.name} took no slow run`);
}

function limitFiles(pid: number, files: number) {
  spawnSync('prlimit', ['--pid', String(pid), `--nofile=${files}:1048576`]);
}

export const faults: readonly Fault[] = [
  {
    id: 'F01',
    what: 'a worker is killed after its claim, before the call',
    at: 'third',
    inject: (world) => dieAt(world, 'after-claim'),
  },
  {
    id: 'F02',
    what: 'a worker is killed after the answer, before it is kept',
    at: 'third',
    inject: (world) => dieAt(world, 'after-provider'),
  },
  {
    id: 'F03',
    what: 'a worker is killed after a checkpoint, before the end',
    at: 'third',
    inject: (world) => dieAt(world, 'after-checkpoint'),
  },
  {
    id: 'F04',
    what: 'a process is killed after the commit of a run, before its answer',
    at: 'third',
    inject: (world) => dieAt(world, 'after-accept'),
  },
  {
    id: 'F05',
    what: 'a process is killed in the middle of a stream',
    at: 'second',
    async inject(world) {
      const last = await followSlowRun(world, second(world), { at: 3, act: (member) => member.kill() });
      if (last.startsWith('run.')) throw new Error(`the stream of a killed process ended with ${last}`);
    },
  },
  {
    id: 'F07',
    what: 'two processes start timers, one of them after a pause',
    at: 'first',
    inject: ({ cluster }) => pause(cluster.members[0] as Member, 20_000),
  },
  {
    id: 'F08',
    what: 'a process stands still for so long that others take its runs, and goes on',
    at: 'third',
    async inject(world) {
      await withOwner(world, (client) => holdSlowRuns(world, client, third(world)));
      await pause(third(world), 18_000);
    },
  },
  {
    id: 'F09',
    what: 'SIGTERM with calls under way',
    at: 'third',
    async inject(world) {
      third(world).signal('SIGTERM');
      await endWithin(third(world), 20_000, '0');
    },
  },
  {
    id: 'F10',
    what: 'SIGTERM with streams under way',
    at: 'second',
    async inject(world) {
      const member = second(world);
      const ends = await Promise.all(
        Array.from({ length: 8 }, (_, at) =>
          followSlowRun(world, member, { at: 2, act: () => (at === 0 ? member.signal('SIGTERM') : undefined) }),
        ),
      );
      const cut = ends.filter((last) => !last.startsWith('run.') || last === 'run.accepted');
      if (cut.length > 0) throw new Error(`${cut.length} of 8 streams ended with ${cut[0]}`);
      await endWithin(member, 20_000, '0');
    },
  },
  {
    id: 'F11',
    what: 'SIGTERM twice',
    at: 'second',
    async inject(world) {
      second(world).signal('SIGTERM');
      await sleep(50);
      if (second(world).runs) second(world).signal('SIGTERM');
      await endWithin(second(world), 20_000, '0');
    },
  },
  {
    id: 'F12',
    what: 'all processes are killed together',
    at: 'all',
    async inject({ cluster }) {
      for (const member of cluster.members) member.kill();
    },
  },
  {
    id: 'F13',
    what: 'the event loop is held for 5 s',
    at: 'second',
    async inject(world) {
      second(world).arm('block');
      await sleep(7_000);
    },
  },
  {
    id: 'F14',
    what: 'no file descriptor is left',
    at: 'second',
    async inject(world) {
      const { pid } = second(world);
      limitFiles(pid, readdirSync(`/proc/${pid}/fd`).length + 2);
      await sleep(4_000);
      limitFiles(pid, 65_536);
    },
  },
  {
    id: 'F15',
    what: 'the database is stopped at once',
    at: 'all',
    inject: async ({ cluster }) => void process.kill(cluster.postmaster(), 'SIGQUIT'),
  },
  {
    id: 'F16',
    what: 'a backend of the database is killed',
    at: 'all',
    async inject({ cluster, random }) {
      const backends = cluster.backends();
      process.kill(backends[Math.floor(random() * backends.length)] as number, 'SIGKILL');
    },
  },
  {
    id: 'F17',
    what: 'the reply to a commit is lost',
    at: 'all',
    async inject({ cluster }) {
      for (let times = 0; times < 4; times++) {
        cluster.proxy.loseReply();
        await sleep(700);
      }
    },
  },
  {
    id: 'F18',
    what: 'no connection to the database is left',
    at: 'all',
    async inject({ cluster }) {
      const clients: pg.Client[] = [];
      const more = async (): Promise<void> => {
        clients.push(await cluster.connect());
        return clients.length < 100 ? more() : undefined;
      };
      await more().catch(() => undefined);
      await sleep(4_000);
      await Promise.all(clients.map((client) => client.end()));
    },
  },
  {
    id: 'F19',
    what: 'a table is locked by somebody else',
    at: 'all',
    inject: (world) =>
      withOwner(world, async (client) => {
        await client.query('begin');
        await client.query('lock table pattern.task, pattern.finished in access exclusive mode');
        await sleep(5_000);
        await client.query('rollback');
      }),
  },
  {
    id: 'F20',
    what: 'the network to the database is silent for 12 s',
    at: 'all',
    async inject({ cluster }) {
      cluster.proxy.partition(12_000);
      await sleep(12_500);
    },
  },
  {
    id: 'F22',
    what: 'the disk of the database is full',
    at: 'all',
    needs: 'disk',
    async inject(world) {
      const { cluster } = world;
      cluster.disk?.fill();
      await sleep(5_000);
      const more = `create table too_large as select repeat('x', 1000) as text from generate_series(1, 10000)`;
      const refused = await withOwner(world, (client) => client.query(more)).then(
        () => false,
        () => true,
      );
      cluster.disk?.free();
      if (!refused) throw new Error('there was room left');
    },
  },
  ...rabbitFaults,
];
