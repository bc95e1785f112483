import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Gateway } from '../../server/src/gateway/open-gateway.ts';
import { type ModelServer, startModelServer } from '../../server/src/platform/testing/model-server.ts';
import { startTestPlatform, type TestPlatform } from '../../server/src/testing/test-platform.ts';
import { createHttpClient, type HttpClient, type HttpReply, type SendOptions } from '../http-client.ts';
import { findLeak } from './find-leak.ts';
import { seedHeld, seedMembers, seedQueued, seedRemoved } from './seed-by-hand.ts';
import { type Side, seed } from './seed-workspace.ts';

export type { Side } from './seed-workspace.ts';

export interface TwoWorkspaces {
  readonly platform: TestPlatform;
  readonly gateway: Gateway;
  readonly model: ModelServer;
  readonly alpha: Side;
  readonly beta: Side;
  /** A request with a key of alpha. Notes in `leaks` what of beta stands in the answer. */
  send(method: string, path: string, options?: SendOptions): Promise<HttpReply>;
  /** The same from another address, for keys that are not accepted. */
  sendBad(method: string, path: string, options?: SendOptions): Promise<HttpReply>;
  /** The same world, asked through another listener. */
  at(url: string): TwoWorkspaces;
  /** Answers what leaked since it was last asked. */
  takeLeaks(): string[];
  /** As superuser. */
  sql<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  /** As superuser, and undone at the end. */
  transaction<Result>(work: (query: TwoWorkspaces['sql']) => Promise<Result>): Promise<Result>;
  stop(): Promise<void>;
}

/** What a run's input says to make the model wait until the call is given up. */
export const waitingInput = 'wait until I cancel';

let clients = 1;

/** The platform with two workspaces, alpha and beta, that hold the same things. */
export async function startTwoWorkspaces(): Promise<TwoWorkspaces> {
  const model = await startModelServer((call, answer) => {
    const asked = call.messages.map((message) => message.content).join('\n');
    if (!asked.includes(waitingInput)) answer.say(`You said: ${asked}`);
  });
  const platform = await startTestPlatform({
    modelUrl: model.url,
    environment: { DAMASK_EGRESS_ALLOW: new URL(model.url).host },
  });
  const client = createHttpClient(platform.url);
  const pool = new pg.Pool({ ...platform.connection, max: 2 });
  pool.on('error', () => undefined);
  const sql: TwoWorkspaces['sql'] = async <Row extends object>(text: string, values: unknown[] = []) =>
    (await pool.query<Row>(text, values)).rows;
  const alpha = await seed(client, model.url, { ...platform.alpha, mark: 'qalqa' });
  const beta = await seed(client, model.url, { ...platform.beta, mark: 'qbeqb', more: true });
  await platform.gateway.refresh();
  // No run of these tests is ever refused by the database, so this table has to be filled by hand.
  for (const { workspace } of [alpha, beta]) {
    await sql(`insert into pattern.quarantined (workspace, run, reason, digest) values ($1, $1, 'seeded', '')`, [
      workspace,
    ]);
  }
  for (const side of [alpha, beta]) {
    await seedHeld(sql, side.workspace, platform.floor.registry.id);
    await seedQueued(sql, side.workspace);
    const accounts = await seedMembers(sql, side.workspace, side.mark);
    side.secrets.push(...accounts);
    side.things.member = accounts[0] as string;
    for (const [title, path] of [
      ['GET /v1/members', '/v1/members'],
      ['GET /v1/teams/{team}/members', `/v1/teams/${side.things.team}/members`],
    ]) {
      const page = await client.send('GET', `${path}?limit=1`, { key: side.owner });
      side.things[`cursor of ${title}`] = page.body.next;
    }
    const steps = await client.send('GET', `/v1/runs/${side.things.run}/steps?limit=1`, { key: side.owner });
    side.things['cursor of GET /v1/runs/{run}/steps'] = steps.body.next;
    const list = 'GET /v1/timers/{timer}/ticks';
    const { body } = await client.send('GET', `/v1/timers/${side.things.timer}/ticks?limit=1`, { key: side.owner });
    side.things[`cursor of ${list}`] = body.next;
    const { body: keys } = await client.send('GET', '/v1/encryption', { key: side.owner });
    side.secrets.push(...keys.versions.map(({ created_at }: { created_at: string }) => created_at));
    // By hand, so that the list of what was changed by hand has something to tell.
    await sql('update pattern.budget set limit_tokens = limit_tokens + 1 where workspace = $1', [side.workspace]);
    side.things.erasure = await seedRemoved(sql, side.workspace, side.mark);
    side.secrets.push(side.things.erasure as string);
    for (const path of ['/v1/retention/removals', '/v1/subjects/erasures']) {
      const page = await client.send('GET', `${path}?limit=1`, { key: side.owner });
      side.things[`cursor of GET ${path}`] = page.body.next;
    }
    const exported = { subject: side.things.subject };
    const page = await client.send('POST', '/v1/subjects/export', { key: side.owner, body: exported });
    side.things['cursor of POST /v1/subjects/export'] = page.body.next;
  }
  // Two of each, so that lists of one have a next page.
  for (const count of [1, 2]) {
    for (const { owner } of [alpha, beta]) {
      await client.send('PUT', `/v1/roles/sealed_${count}`, { key: owner, body: { permissions: ['run:read'] } });
    }
    // The sequencer may be at it by itself: then this pass leaves it to that one.
    for (let signed = 0; signed < 2; ) {
      await platform.sealAudit();
      await sql(
        `update identity.audit_head set open_since = now() - interval '2 minutes' where open_since is not null`,
      );
      await platform.sealAudit();
      const chains = await sql(
        'select from identity.audit_checkpoint where workspace = any($1) group by workspace having count(*) >= $2',
        [[alpha.workspace, beta.workspace], count],
      );
      signed = chains.length;
    }
  }
  for (const side of [alpha, beta]) {
    for (const list of ['/v1/audit', '/v1/audit/checkpoints']) {
      const page = await client.send('GET', `${list}?limit=1`, { key: side.owner });
      side.things[`cursor of GET ${list}`] = page.body.next;
    }
  }
  client.close();
  const leaks: string[] = [];
  const open: HttpClient[] = [];

  const watched =
    (through: HttpClient): TwoWorkspaces['send'] =>
    async (method, path, given = {}) => {
      const reply = await through.send(method, path, given);
      const leak = findLeak(reply, beta.secrets, `${path} ${JSON.stringify(given.body ?? '')}`);
      if (leak) leaks.push(`${method} ${path} answered with ${leak}`);
      return reply;
    };

  const askAt = (url: string): Pick<TwoWorkspaces, 'send' | 'sendBad'> => {
    const good = createHttpClient(url);
    open.push(good);
    let bad = good;
    let asked = 0;
    const sendBad: TwoWorkspaces['send'] = (method, path, options) => {
      // After about a hundred keys that are not accepted an address has to wait.
      if (asked++ % 80 === 0) {
        bad = createHttpClient(url, { from: 2 + (clients++ % 200) });
        open.push(bad);
      }
      return watched(bad)(method, path, options);
    };
    return { send: watched(good), sendBad };
  };
  const world: TwoWorkspaces = {
    platform,
    gateway: platform.gateway,
    model,
    alpha,
    beta,
    ...askAt(platform.url),
    at: (url) => ({ ...world, ...askAt(url) }),
    takeLeaks: () => leaks.splice(0),
    sql,
    async transaction(work) {
      const one = await pool.connect();
      try {
        await one.query('begin');
        return await work(
          async <Row extends object>(text: string, values: unknown[] = []) => (await one.query<Row>(text, values)).rows,
        );
      } finally {
        await one.query('rollback');
        one.release();
      }
    },
    async stop() {
      for (const client of open) client.close();
      await pool.end();
      await platform.stop();
      await model.close();
    },
  };
  return world;
}

/** A thing of the same shape that nobody has. */
export function nobodys(side: Side, thing: string | number): string | number {
  if (typeof thing === 'number') return 999_999;
  if (/^[0-9a-f]{8}-/.test(thing)) return randomUUID();
  return thing.replaceAll(side.mark, 'qnoqn');
}
