import { setTimeout as sleep } from 'node:timers/promises';
import { scimSchemas } from '@damask/contracts/scim.ts';
import { type Input, titleOf } from '../sample-input.ts';
import { privacyTargets } from './privacy-targets.ts';
import { scimTargets } from './scim-targets.ts';
import { seedMember } from './seed-by-hand.ts';
import { signInTargets } from './sign-in-targets.ts';
import { type Side, type TwoWorkspaces, waitingInput } from './two-workspaces.ts';

type Target = (world: TwoWorkspaces) => Input | Promise<Input>;

let count = 0;
const freshName = () => `fresh_${count++}`;
const text = 'Answer about {{topic}}.';
const budget = { covers: 'pattern', of: 'same_name', period: 'day', limit_tokens: 1_000_000 };
const run = { pattern: 'same_text', input: 'hello', variables: { topic: 'x' }, model: 'openai/x' };
const timer = { cron: '@yearly', run };
// It begins so late that no test sees its runs.
const batch = {
  pattern: 'same_text',
  items: [{ input: 'hello', variables: { topic: 'x' } }],
  model: 'openai/x',
  start_at: new Date(Date.now() + 300 * 86_400_000).toISOString(),
};

/** Inputs that work, by the operation's title, each with things of alpha that nobody misses afterwards. */
const targets: Readonly<Record<string, Target>> = {
  ...signInTargets,
  'POST /v1/keys': () => ({ name: freshName(), role: 'viewer' }),
  'DELETE /v1/keys/{key}': async (world) => ({
    key: (await make(world, 'POST', '/v1/keys', { name: freshName(), role: 'viewer' })).id,
  }),
  'PUT /v1/roles/{custom_role}': () => ({ custom_role: freshName() }),
  'DELETE /v1/roles/{custom_role}': async (world) => {
    const name = freshName();
    await make(world, 'PUT', `/v1/roles/${name}`, { permissions: ['run:read'] });
    return { custom_role: name };
  },
  'PUT /v1/members/{member}': async (world) => ({ member: await freshMember(world), role: 'runner' }),
  'DELETE /v1/members/{member}': async (world) => ({ member: await freshMember(world) }),
  'PUT /v1/service-accounts/{service_account}': () => ({ service_account: freshName(), role: 'viewer' }),
  'DELETE /v1/service-accounts/{service_account}': async (world) => {
    const name = freshName();
    await make(world, 'PUT', `/v1/service-accounts/${name}`, { role: 'viewer' });
    return { service_account: name };
  },
  'PUT /v1/teams/{team}': () => ({ team: freshName() }),
  'DELETE /v1/teams/{team}': async (world) => ({ team: await freshTeam(world) }),
  'PUT /v1/teams/{team}/members/{member}': async (world) => ({ member: await freshMember(world) }),
  'DELETE /v1/teams/{team}/members/{member}': async (world) => {
    const team = await freshTeam(world);
    return { team, member: await freshMember(world, team) };
  },
  ...scimTargets(make, freshName),
  ...privacyTargets(make, freshName),
  'PUT /v1/providers/{provider}': (world) => ({ provider: freshName(), base_url: world.model.url }),
  'POST /v1/providers/{provider}/test': async (world) => {
    const provider = freshName();
    await make(world, 'PUT', `/v1/providers/${provider}`, { base_url: world.model.url });
    return { provider, model: 'small' };
  },
  'DELETE /v1/providers/{provider}': async (world) => {
    const provider = freshName();
    await make(world, 'PUT', `/v1/providers/${provider}`, { base_url: world.model.url });
    return { provider };
  },
  'PUT /v1/timers/{timer}': () => ({ timer: freshName(), ...timer }),
  'DELETE /v1/timers/{timer}': async (world) => {
    const name = freshName();
    await make(world, 'PUT', `/v1/timers/${name}`, timer);
    return { timer: name };
  },
  'POST /v1/encryption/rotation': () => ({}),
  'POST /v1/evidence/seals': () => ({ digests: [{ path: 'manifest.json', bytes: 2, sha256: '0'.repeat(64) }] }),
  'PUT /v1/queue': () => ({ concurrency: 1_000 }),
  'POST /v1/egress/check': () => ({ url: 'http://127.0.0.1/', surface: 'provider' }),
  'PUT /v1/redaction': () => ({ kinds: ['iban'], expressions: [], model: false }),
  'PUT /v1/budgets/{budget}': () => ({ budget: freshName(), ...budget }),
  'DELETE /v1/budgets/{budget}': async (world) => {
    const name = freshName();
    await make(world, 'PUT', `/v1/budgets/${name}`, budget);
    return { budget: name };
  },
  'POST /v1/patterns': () => ({ name: freshName(), system: text }),
  'DELETE /v1/patterns/{pattern}': async (world) => ({ pattern: await freshPattern(world) }),
  'POST /v1/patterns/{pattern}/restore': async (world) => {
    const pattern = await freshPattern(world);
    await make(world, 'DELETE', `/v1/patterns/${pattern}`);
    return { pattern };
  },
  'POST /v1/patterns/{pattern}/versions': async (world) => ({ pattern: await freshPattern(world), system: `${text}!` }),
  'GET /v1/patterns/{pattern}/diff': () => ({ from: 1, to: 1 }),
  'PUT /v1/patterns/{pattern}/team': async (world) => ({ pattern: await freshPattern(world) }),
  'PUT /v1/patterns/{pattern}/deprecation': async (world) => ({ pattern: await freshPattern(world), message: 'Old.' }),
  'DELETE /v1/patterns/{pattern}/deprecation': async (world) => {
    const pattern = await freshPattern(world);
    await make(world, 'PUT', `/v1/patterns/${pattern}/deprecation`, {});
    return { pattern };
  },
  'PUT /v1/patterns/{pattern}/labels/{label}': async (world) => ({
    pattern: await freshPattern(world),
    label: freshName(),
    version: 1,
  }),
  'DELETE /v1/patterns/{pattern}/labels/{label}': async (world) => {
    const pattern = await freshPattern(world);
    await make(world, 'PUT', `/v1/patterns/${pattern}/labels/fresh`, { version: 1 });
    return { pattern, label: 'fresh' };
  },
  'POST /v1/imports': () => ({ files: [{ path: `patterns/${freshName()}/system.md`, content: text }] }),
  'POST /v1/imports/archive': () => ({ origin: 'mine.tar' }),
  // Refused by the egress guard, after the caller was let through.
  'POST /v1/imports/git': () => ({ url: 'https://127.0.0.1/fabric.git' }),
  'PUT /v1/strategies/{strategy}': () => ({ strategy: freshName(), prompt: 'Think.' }),
  'DELETE /v1/strategies/{strategy}': async (world) => {
    const strategy = freshName();
    await make(world, 'PUT', `/v1/strategies/${strategy}`, { prompt: 'Think.' });
    return { strategy };
  },
  'PUT /v1/contexts/{context}': () => ({ context: freshName(), content: 'We sell lamps.' }),
  'DELETE /v1/contexts/{context}': async (world) => {
    const context = freshName();
    await make(world, 'PUT', `/v1/contexts/${context}`, { content: 'We sell lamps.' });
    return { context };
  },
  'PUT /v1/sessions/{session}': () => ({ session: freshName(), turns: [{ role: 'user', content: 'Hello.' }] }),
  'DELETE /v1/sessions/{session}': async (world) => {
    const session = freshName();
    await make(world, 'PUT', `/v1/sessions/${session}`, { turns: [] });
    return { session };
  },
  'POST /v1/runs': () => run,
  'POST /v1/render': () => run,
  'POST /v1/runs/{run}/rerun': ({ alpha }) => ({ run: alpha.things.run, model: 'openai/x' }),
  'POST /v1/batches': () => batch,
  'POST /v1/batches/{batch}/pause': async (world) => ({ batch: await freshBatch(world) }),
  'POST /v1/batches/{batch}/resume': async (world) => ({ batch: await freshBatch(world) }),
  'POST /v1/batches/{batch}/cancel': async (world) => ({ batch: await freshBatch(world) }),
  'POST /v1/runs/{run}/retry': async (world) => {
    const { id } = await make(world, 'POST', '/v1/runs', queuedRun());
    await make(world, 'POST', `/v1/runs/${id}/cancel`);
    return { run: id };
  },
  'POST /v1/runs/{run}/decisions': async (world) => ({ run: await askingRun(world), decision: 'approve' }),
  'POST /v1/runs/{run}/cancel': async (world) => ({ run: await liveRun(world) }),
};

/** Input with which the owner of alpha succeeds. Throws when an operation has no target yet and needs one. */
export async function targetOf(world: TwoWorkspaces, operation: { method: string; path: string }): Promise<Input> {
  const title = titleOf(operation as Parameters<typeof titleOf>[0]);
  const target = targets[title];
  if (target) return target(world);
  if (operation.method === 'GET') return {};
  throw new Error(`${title} changes something: give it a target in tests/authorisation/targets.ts`);
}

/** The same where the things are another workspace's. Nothing is made for it beforehand. */
export async function foreignTarget(
  world: TwoWorkspaces,
  operation: { method: string; path: string },
  { things }: Side,
): Promise<Input> {
  const { method, path } = operation;
  if (path.startsWith('/scim/')) return {};
  if (path.endsWith('/restore')) return { pattern: things['deleted pattern'] };
  if (path.endsWith('/versions')) return { system: text };
  if (path === '/v1/runs' || path === '/v1/render') return { ...run, pattern: things.pattern };
  if (path === '/v1/batches') return { ...batch, pattern: things.pattern };
  if (method !== 'PUT') return path.includes('{') ? {} : targetOf(world, operation);
  if (path.includes('{pattern}')) return {};
  if (path.includes('{member}')) return { role: 'viewer' };
  const { 'other strategy': strategy, 'other provider': provider } = things;
  const { 'other context': context, 'other session': session } = things;
  const { 'other budget': budget, 'other timer': timer, 'other hold': hold } = things;
  const { 'other custom role': custom_role, 'other service account': service_account, 'other team': team } = things;
  const { 'other identity provider': identity_provider } = things;
  return {
    ...(await targetOf(world, operation)),
    custom_role,
    identity_provider,
    service_account,
    team,
    strategy,
    provider,
    context,
    session,
    budget,
    timer,
    hold,
  };
}

/** What path parameters and fields of these names stand for. */
export function thingsByField({ things }: Side): Input {
  const {
    pattern,
    label,
    key,
    strategy,
    context,
    session,
    provider,
    budget: name,
    timer: clock,
    hold,
    erasure,
    run: runId,
    batch: batchId,
    member,
    team,
    'custom role': custom_role,
    'identity provider': identity_provider,
    'service account': service_account,
    'scim user': user,
    'scim group': group,
    invitation,
  } = things;
  return {
    pattern,
    label,
    key,
    strategy,
    context,
    session,
    provider,
    budget: name,
    timer: clock,
    hold,
    erasure,
    run: runId,
    batch: batchId,
    member,
    team,
    custom_role,
    identity_provider,
    service_account,
    user,
    group,
    invitation,
    resource_type: 'User',
    schema: scimSchemas.user,
    version: 1,
  };
}

const freshMember = (world: TwoWorkspaces, team?: string) => seedMember(world.sql, world.alpha.workspace, team);

async function freshTeam(world: TwoWorkspaces): Promise<string> {
  const name = freshName();
  await make(world, 'PUT', `/v1/teams/${name}`, {});
  return name;
}

async function freshPattern(world: TwoWorkspaces): Promise<string> {
  const name = freshName();
  await make(world, 'POST', '/v1/patterns', { name, system: text });
  return name;
}

async function freshBatch(world: TwoWorkspaces): Promise<string> {
  return (await make(world, 'POST', '/v1/batches', batch)).id as string;
}

/** It begins so late that no test sees its end. */
const queuedRun = () => ({ ...run, mode: 'async', start_at: new Date(Date.now() + 300 * 86_400_000).toISOString() });

/** A run that waits for a person. */
async function askingRun(world: TwoWorkspaces): Promise<string> {
  const { id } = await make(world, 'POST', '/v1/runs', queuedRun());
  await world.sql(
    `insert into pattern.step (workspace, run, path, state, calls, attempts, usage, sanitised, why, started_at)
     values ($1, $2, 'agreed', 'waiting', 0, '[]', '{}', false, 'approval', now())`,
    [world.alpha.workspace, id],
  );
  return id;
}

/** A run that waits for its model. */
export async function liveRun(world: TwoWorkspaces): Promise<string> {
  const ticket = freshName();
  const body = { ...run, input: waitingInput, metadata: { ticket }, timeout_ms: 20_000 };
  world.send('POST', '/v1/runs', { key: world.alpha.owner, body }).catch(() => undefined);
  for (let tries = 0; tries < 200; tries++) {
    const { body: page } = await world.send('GET', '/v1/runs?status=running', { key: world.alpha.owner });
    const found = page.items.find((item: { metadata: { ticket?: string } }) => item.metadata.ticket === ticket);
    if (found) return found.id;
    await sleep(20);
  }
  throw new Error('The run that was to be cancelled did not begin');
}

async function make(world: TwoWorkspaces, method: string, path: string, body?: unknown) {
  const reply = await world.send(method, path, { key: world.alpha.owner, body });
  if (reply.status >= 300) throw new Error(`Preparing ${method} ${path} answered ${reply.status}: ${reply.text}`);
  return reply.body;
}
