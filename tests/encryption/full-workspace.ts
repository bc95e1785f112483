import pg from 'pg';
import { serviceTable } from '../../server/src/compose.ts';
import { systemClock } from '../../server/src/platform/clock.ts';
import type { SealedColumn } from '../../server/src/platform/crypto/sealed-column.ts';
import { type ModelServer, startModelServer } from '../../server/src/platform/testing/model-server.ts';
import { stepPlace } from '../../server/src/services/pattern/engine/step-store.ts';
import { pieceAt } from '../../server/src/services/pattern/run/output-publisher.ts';
import { startTestPlatform, type TestPlatform } from '../../server/src/testing/test-platform.ts';

/** What is sealed, of all services. */
export const sealedColumns: readonly SealedColumn[] = Object.values(serviceTable).flatMap(({ sealed }) => sealed);

export interface FullWorkspace {
  readonly platform: TestPlatform;
  readonly model: ModelServer;
  /** As superuser. */
  sql<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  /** A request that must work. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as they come.
  must(method: string, path: string, body?: unknown): Promise<any>;
  stop(): Promise<void>;
}

/** A platform whose model answers every run with `answer`. */
export async function startFullWorkspace(answer: string): Promise<FullWorkspace> {
  const model = await startModelServer((_, reply) => reply.say(answer));
  const platform = await startTestPlatform({
    modelUrl: model.url,
    environment: { DAMASK_EGRESS_ALLOW: new URL(model.url).host, DAMASK_MODEL: 'openai/x' },
  });
  const pool = new pg.Pool({ ...platform.connection, max: 2 });
  const must: FullWorkspace['must'] = async (method, path, body) => {
    const reply = await platform.call(method, path, body);
    if (reply.status >= 300) {
      const said = reply.status < 500 ? '' : JSON.stringify(platform.logged.slice(-3));
      throw new Error(`${method} ${path} answered ${reply.status}: ${reply.text} ${said}`);
    }
    return reply.body;
  };
  return {
    platform,
    model,
    must,
    sql: async <Row extends object>(text: string, values: unknown[] = []) => (await pool.query<Row>(text, values)).rows,
    async stop() {
      await pool.end();
      await platform.stop();
      await model.close();
    },
  };
}

/** What people and programs give to a platform, by what it is. */
export interface Canaries {
  readonly input: string;
  readonly variable: string;
  readonly context: string;
  readonly turn: string;
  readonly attachment: string;
  readonly providerKey: string;
  readonly clientSecret: string;
  readonly timerInput: string;
  readonly batchInput: string;
  readonly rejectedLine: string;
  readonly comment: string;
  readonly draft: string;
  readonly subject: string;
  readonly person: string;
  readonly idempotencyKey: string;
}

/** Texts that occur nowhere else. */
export const canariesOf = (number: number): Canaries => ({
  input: `canary-${number}-of-the-input-51fa`,
  variable: `canary-${number}-of-the-variable-a0e4`,
  context: `canary-${number}-of-the-context-92bc`,
  turn: `canary-${number}-of-the-turn-0b77`,
  attachment: `canary-${number}-of-the-attachment-d3c9`,
  providerKey: `sk-canary-${number}-of-the-provider-6e02`,
  clientSecret: `canary-${number}-of-the-client-secret-f41b`,
  timerInput: `canary-${number}-of-the-timer-88a5`,
  batchInput: `canary-${number}-of-the-batch-2d60`,
  rejectedLine: `canary_${number}_of_the_rejected_line_b9e3`,
  comment: `canary-${number}-of-the-comment-47df`,
  draft: `canary-${number}-of-the-draft-c658`,
  subject: `canary-${number}-of-the-subject-3e1a`,
  person: `canary-${number}-of-the-person-70cb`,
  idempotencyKey: `canary-${number}-of-the-idempotency-key-99d0`,
});

/** Puts one of everything that is sealed into the first workspace; with another `number`, another one of each. */
export async function fillWorkspace(full: FullWorkspace, canaries: Canaries, number = 1): Promise<string> {
  const { must, model } = full;
  const later = new Date(Date.now() + 86_400_000).toISOString();
  await must('POST', '/v1/patterns', { name: `greet_${number}`, system: 'Greet about {{topic}}.' });
  await must('PUT', `/v1/contexts/facts_${number}`, { content: canaries.context });
  const turns = [
    { role: 'user', content: canaries.turn },
    { role: 'assistant', content: `You said ${canaries.turn}` },
  ];
  await must('PUT', `/v1/sessions/talk_${number}`, { turns });
  await must('PUT', `/v1/providers/models_${number}`, { base_url: model.url, api_key: canaries.providerKey });
  await must('PUT', `/v1/identity-providers/login_${number}`, {
    issuer: `https://login${number}.example`,
    client_id: 'damask',
    client_secret: canaries.clientSecret,
  });
  const asked = { pattern: `greet_${number}`, variables: { topic: canaries.variable }, model: 'openai/x' };
  await must('PUT', `/v1/timers/clock_${number}`, { cron: '@yearly', run: { ...asked, input: canaries.timerInput } });
  const items = [
    { input: canaries.batchInput, variables: { topic: 'x' } },
    { input: canaries.batchInput, variables: { [canaries.rejectedLine]: 'x' } },
  ];
  await must('POST', '/v1/batches', {
    pattern: asked.pattern,
    items,
    model: 'openai/x',
    accept: 'valid',
    start_at: later,
  });
  const queued = { ...asked, mode: 'async', start_at: later };
  await must('POST', '/v1/runs', { ...queued, input: canaries.input });
  const chain = `steps:
  draft: {pattern: greet_${number}, variables: {topic: x}}
  ok: {approval: {message: [Send it?, $steps.draft.output]}}
  send: {pattern: greet_${number}, variables: {topic: x}, input: $steps.draft.output, after: [ok]}
`;
  await must('POST', '/v1/patterns', { name: `asks_${number}`, files: [{ path: 'pattern.yaml', content: chain }] });
  const { id: waits } = await must('POST', '/v1/runs', {
    pattern: `asks_${number}`,
    input: canaries.draft,
    mode: 'async',
  });
  while ((await must('GET', `/v1/runs/${waits}`)).status !== 'waiting') await systemClock.sleep(20);
  await fillByHand(full, waits, canaries);
  const files = [
    { path: 'pattern.yaml', content: 'data_class: personal' },
    { path: 'system.md', content: 'Greet.' },
  ];
  await must('POST', '/v1/patterns', { name: `cares_${number}`, files });
  await must('POST', '/v1/runs', { pattern: `cares_${number}`, input: canaries.input, subject: canaries.person });
  await must('PUT', `/v1/holds/case_${number}`, { reason: 'a case', subject: canaries.person });
  const run = await must('POST', '/v1/runs', {
    ...asked,
    input: canaries.input,
    subject: canaries.subject,
    idempotency_key: canaries.idempotencyKey,
    context: `facts_${number}`,
    session: `talk_${number}`,
    attachments: [{ type: 'text', name: 'note.txt', text: canaries.attachment }],
  });
  return run.id;
}

/** What is there for moments only: a comment until its step goes on, a piece of an answer until the run has ended. */
async function fillByHand({ platform, sql }: FullWorkspace, run: string, { comment, draft }: Canaries) {
  const { vault } = platform.floor;
  const { id: workspace } = platform.alpha;
  await vault.ready(workspace);
  const said = await vault.seal(workspace, stepPlace(run, 'ok', 'comment'), Buffer.from(JSON.stringify(comment)));
  await sql(`update pattern.step set comment = $1 where run = $2 and path = 'ok'`, [said, run]);
  const place = { workspace, run, token: 1n, attempt: 1, start: 0 };
  await sql('insert into pattern.run_output values ($1, $2, 1, 1, 0, 5, now(), $3)', [
    workspace,
    run,
    await vault.seal(workspace, pieceAt(place), Buffer.from(draft)),
  ]);
}

/** Everything that stands in the tables, as text; bytes as hexadecimal digits. */
export async function dumpTables({ sql }: FullWorkspace): Promise<string> {
  const tables = await sql<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and n.nspname in ('identity', 'pattern', 'platform')`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    for (const { row } of await sql<{ row: string }>(`select t::text as row from ${name} t`))
      texts.push(`${name} ${row}`);
  }
  return texts.join('\n');
}

/** The forms in which a text may hide in a dump. */
export const formsOf = (text: string): readonly string[] => {
  const bytes = Buffer.from(text);
  return [
    text,
    [...text].reverse().join(''),
    bytes.toString('hex'),
    // Without what depends on the bytes around it.
    ...[0, 1, 2].map((shift) =>
      Buffer.concat([Buffer.alloc(shift), bytes])
        .toString('base64')
        .slice(4, -4),
    ),
  ];
};
