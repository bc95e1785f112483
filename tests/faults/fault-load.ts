import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, Member } from './cluster.ts';
import { post } from './server-processes.ts';

/** What a client did and what it was told. */
export interface Entry {
  readonly input: string;
  readonly kind: 'async' | 'sync' | 'chain';
  /** With an Idempotency-Key, and sent again with it until there was an answer. */
  readonly keyed: boolean;
  /** The run that it was told of; null also where it was told that nobody knows whether there is one. */
  run: string | null;
  /** How the run ended, where it was told; `refused`: no run. Null: the connection was lost, or no end was told. */
  told: string | null;
  /** Of the error that told of the run. */
  code?: string;
}

/** Ways in which the model server misbehaves, and the faults of the catalogue that they are. */
export const misbehaviours = {
  '429-seconds': 'F37',
  '429-zero': 'F37',
  '429-past': 'F37',
  '429-words': 'F37',
  '429-none': 'F37',
  '500': 'F38',
  hang: 'F39',
  silent: 'F39',
  half: 'F40',
  cut: 'F40',
  html: 'F41',
  'no-usage': 'F42',
  'mad-usage': 'F42',
} as const;

export interface FaultLoad {
  readonly history: readonly Entry[];
  /** For what a fault does beside the clients. */
  note(entry: Entry): void;
  /** Queues a run whose call takes nine seconds at this process; a call whose end nobody knows is made once more. */
  queueSlow(member: Member): Promise<void>;
  stop(): Promise<void>;
}

interface LoadPlan {
  readonly clients: number;
  /** From 0 to below 1, by the seed. */
  readonly random: () => number;
  readonly only?: Entry['kind'];
}

/** Clients that send runs of all kinds to whichever process answers, and note what they are told. */
export function startFaultLoad(cluster: Cluster, plan: LoadPlan): FaultLoad {
  const { random } = plan;
  const history: Entry[] = [];
  const agent = new Agent({ keepAlive: true });
  const tags = Object.keys(misbehaviours);
  let running = true;
  let next = 0;

  const somebody = () => {
    const alive = cluster.members.filter((member) => member.runs);
    return (alive[Math.floor(random() * alive.length)] ?? cluster.members[0]) as Member;
  };
  const ask = (body: object, path = '/v1/runs', { url } = somebody()) =>
    Promise.race([post(url, cluster.key, path, body, agent), sleep(20_000, null)]).catch(() => null);

  function plannedEntry(): Entry {
    const at = next++;
    const kind = plan.only ?? (random() < 0.45 ? 'async' : random() < 0.5 ? 'sync' : 'chain');
    const spoilt = kind === 'async' && random() < 0.15;
    const tag = spoilt ? ` !${tags[Math.floor(random() * tags.length)]}` : '';
    const keyed = kind === 'chain' || random() < 0.5;
    return { input: `input-${at}${tag}`, kind, keyed, run: null, told: null };
  }

  async function perform(entry: Entry, pattern: string, at?: Member) {
    history.push(entry);
    const { input, kind, keyed } = entry;
    const spoilt = /!(\S+)/.exec(input)?.[1];
    const request = {
      pattern,
      input,
      metadata: { input },
      // Storms are for a model of their own: its breaker opens, and others go on.
      ...(kind === 'chain' ? {} : { model: spoilt === '500' ? 'openai/storm' : 'openai/fake' }),
      ...(kind === 'sync' ? {} : { mode: 'async' }),
      ...(keyed ? { idempotency_key: input } : {}),
      ...(spoilt && spoilt !== 'slow' ? { timeout_ms: 6_000 } : {}),
    };
    for (let tries = 0; tries < 400 && running; tries++) {
      if (heed(entry, await ask(request, '/v1/runs', at)) || !keyed) return;
      await sleep(100 + random() * 200);
    }
  }

  const work = async () => {
    while (running) {
      const entry = plannedEntry();
      await perform(entry, entry.kind === 'chain' ? 'three' : random() < 0.2 ? 'again' : 'echo');
      await sleep(20 + random() * 40);
    }
  };
  const publish = async () => {
    for (let at = 2; running; at++) {
      await sleep(700);
      if (running) await ask({ system: `Say it again, ${at}.` }, '/v1/patterns/echo/versions');
    }
  };
  const all = Promise.all([...Array.from({ length: plan.clients }, work), publish()]);
  return {
    history,
    note: (entry) => void history.push(entry),
    queueSlow(member) {
      const entry: Entry = { input: `slow-${next++} !slow`, kind: 'async', keyed: true, run: null, told: null };
      return perform(entry, 'again', member);
    },
    async stop() {
      running = false;
      await all;
      agent.destroy();
    },
  };
}

/** Notes what was told; false: the same is to be sent again, if it has a key. */
function heed(entry: Entry, answer: Awaited<ReturnType<typeof post>> | null): boolean {
  if (!answer) return false;
  const { status, body } = answer;
  const code = body.code as string | undefined;
  const run = (status < 300 ? body.id : body.run_id) as string | undefined;
  if (code !== undefined) entry.code = code;
  // The record may be there or not, and says so itself where it is.
  if (code === 'unrecorded') return true;
  if (run === undefined) {
    if (!entry.keyed) entry.told = 'refused';
    return false;
  }
  // "Send the same again": nobody knows yet whether it was accepted, or how it ended.
  if (code === 'idempotency_in_progress' || (code === 'unavailable' && entry.kind !== 'sync')) return false;
  entry.run = run;
  if (status === 200) entry.told = body.status as string;
  else if (status !== 202) entry.told = 'failed';
  return true;
}
