import { setTimeout as sleep } from 'node:timers/promises';
import { createHttpClient, type HttpReply } from '../http-client.ts';
import { findLeak } from './find-leak.ts';
import type { Side, TwoWorkspaces } from './two-workspaces.ts';

export interface Traffic {
  readonly answered: number;
  readonly cancelled: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<number, number>>;
  /** What one side saw of the other. */
  readonly leaks: readonly string[];
  /** Answers that their own side should have got and did not. */
  readonly wrong: readonly string[];
}

type Request = readonly [method: string, path: string, body?: object];

function requestsOf({ mark, things }: Side): Request[] {
  const run = { pattern: 'same_name', input: `${mark} says`, variables: { topic: mark }, model: 'openai/x' };
  return [
    ['GET', '/v1/me'],
    ['GET', '/v1/workspace'],
    ['GET', '/v1/keys'],
    ['GET', '/v1/models'],
    ['GET', '/v1/providers'],
    ['GET', '/v1/patterns?limit=200'],
    ['GET', '/v1/patterns/same_name'],
    ['GET', '/v1/patterns/same_name/versions/1'],
    ['GET', `/v1/patterns/${things.pattern}/versions`],
    ['GET', '/v1/strategies/same_strategy'],
    ['GET', '/v1/contexts/same_context'],
    ['GET', '/v1/sessions/same_session/turns'],
    ['GET', '/v1/runs?limit=20'],
    ['GET', `/v1/runs/${things.run}`],
    ['POST', '/v1/render', run],
    ['POST', '/v1/runs', run],
    ['POST', '/v1/runs', { ...run, context: 'same_context' }],
    ['POST', '/v1/runs', { ...run, stream: true, strategy: 'same_strategy' }],
    ['PUT', '/v1/strategies/same_strategy', { prompt: `${mark} thinks again.` }],
  ];
}

/** Numbers that look random and come again with the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Requests of both workspaces at once, three in ten given up at some point. Every answer is searched for the other's mark. */
export async function sendMixedTraffic(world: TwoWorkspaces, count: number, seed: number): Promise<Traffic> {
  const random = randomNumbers(seed);
  const sides = [
    { own: world.alpha, other: world.beta, requests: requestsOf(world.alpha) },
    { own: world.beta, other: world.alpha, requests: requestsOf(world.beta) },
  ];
  // One pool of connections for both: what one side's request leaves on a connection, the other's would meet.
  const client = createHttpClient(world.platform.url);
  const statuses: Record<number, number> = {};
  const leaks: string[] = [];
  const wrong: string[] = [];
  let cancelled = 0;
  let answered = 0;
  let left = count;

  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const side = sides[Math.floor(random() * 2)] as (typeof sides)[0];
      const [method, path, body] = side.requests[Math.floor(random() * side.requests.length)] as Request;
      const leave = new AbortController();
      if (random() < 0.3) void sleep(random() * 12).then(() => leave.abort());
      const reply = await client
        .send(method, path, { key: side.own.owner, body, signal: leave.signal })
        .catch((error: unknown) => {
          if (!leave.signal.aborted) throw error;
          return undefined;
        });
      if (!reply) {
        cancelled += 1;
        continue;
      }
      answered += 1;
      statuses[reply.status] = (statuses[reply.status] ?? 0) + 1;
      judge(reply, `${method} ${path} of ${side.own.mark}`, side);
    }
  };
  const judge = (reply: HttpReply, name: string, { own, other }: (typeof sides)[0]) => {
    const leak = findLeak(reply, other.secrets, '');
    if (leak) leaks.push(`${name} was answered with ${leak}`);
    const expected = [own.mark, own.workspace, 'same'].some((word) => reply.text.includes(word));
    if (reply.status !== 200 || !expected) wrong.push(`${name}: ${reply.status} ${reply.text.slice(0, 300)}`);
  };
  await Promise.all(Array.from({ length: 48 }, worker));
  client.close();
  return { answered, cancelled, statuses, leaks, wrong };
}
