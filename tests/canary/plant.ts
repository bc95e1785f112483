import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startIdentityProvider } from '../../server/src/services/identity/oidc/oidc-provider-for-tests.ts';
import { type Canary, chance } from './canary.ts';
import { tells } from './model-script.ts';
import type { Recorder } from './record-answers.ts';
import type { Planted } from './start-planted.ts';

export interface Garden {
  readonly canaries: Canary[];
  /** Keeps a secret that the platform made, and the one answer that may hold it: the last one, unless it was in none. */
  grow(name: string, value: string | undefined, told?: boolean): string;
  /** Makes one of our own. */
  plant(kind: Canary['kind'], name: string): string;
  /** The answer that makes a secret known, by its name. */
  readonly toldIn: ReadonlyMap<string, string>;
}

/** Where canaries are kept as they come. */
export function createGarden(recorder: Recorder): Garden {
  const canaries: Canary[] = [];
  const toldIn = new Map<string, string>();
  return {
    canaries,
    toldIn,
    plant(kind, name) {
      const value = chance(26, kind !== 'secret');
      canaries.push({ name, kind, core: Buffer.from(value) });
      return value;
    },
    grow(name, value, told = true) {
      assert.ok(value !== undefined && value.length >= 22, `There is no ${name}: ${value}`);
      // Behind what every one of its kind begins with, and what is shown of it for ever.
      const core = value.replace(/^dmk_.{8}/, '').replace(/^dm._/, '');
      canaries.push({ name, kind: 'secret', core: Buffer.from(core) });
      const last = recorder.answers.at(-1);
      if (told && last) toldIn.set(name, last.content);
      return value;
    },
  };
}

export interface Seeds {
  readonly key: string;
  readonly providerKey: string;
  readonly pattern: string;
}

const yearly = '@yearly';

/** One of every secret and text that comes by the interface, in the workspace of `key`. */
export async function plantAll(planted: Planted, recorder: Recorder, garden: Garden, key: string): Promise<Seeds> {
  const { model } = planted;
  const must = async (method: string, path: string, body?: unknown) => {
    const reply = await recorder.send('owner', method, path, { key, ...(body === undefined ? {} : { body }) });
    assert.ok(reply.status < 300, `${method} ${path} answered ${reply.status}: ${reply.text}`);
    return reply.body;
  };
  const { plant, grow } = garden;
  const providerKey = `sk-${plant('secret', 'provider key')}`;
  await must('PUT', '/v1/providers/garden', { base_url: model.url, api_key: providerKey, models: [{ id: 'm' }] });
  await must('PUT', '/v1/providers/other', { base_url: model.url, api_key: plant('secret', 'plain provider key') });
  const identityProvider = {
    issuer: 'https://login.example',
    client_id: 'damask',
    client_secret: plant('secret', 'client secret of an identity provider'),
  };
  await must('PUT', '/v1/identity-providers/far', identityProvider);
  for (const role of ['viewer', 'admin']) {
    grow(`API key of a ${role}`, (await must('POST', '/v1/keys', { name: role, role })).key);
  }
  await must('PUT', '/v1/roles/directory', { permissions: ['scim:write'] });
  grow('SCIM token', (await must('POST', '/v1/keys', { name: 'scim', role: 'custom:directory' })).key);
  grow('invitation', (await must('POST', '/v1/invitations', { role: 'viewer' })).url.split('=')[1]);
  grow('login link that nobody opened', (await must('POST', '/v1/login-links', {})).url.split('=')[1]);

  await must('POST', '/v1/patterns', { name: 'sealed', system: 'Speak about {{topic}}.' });
  const unstored = [
    { path: 'pattern.yaml', content: 'store: none\n' },
    { path: 'system.md', content: 'Speak.' },
  ];
  await must('POST', '/v1/patterns', { name: 'unstored', files: unstored });
  const personal = [
    { path: 'pattern.yaml', content: 'data_class: personal\n' },
    { path: 'system.md', content: 'Speak.' },
  ];
  await must('POST', '/v1/patterns', { name: 'personal', files: personal });
  await must('PUT', '/v1/contexts/garden', { content: plant('text', 'context') });
  const turns = [
    { role: 'user', content: plant('text', 'turn of a session') },
    { role: 'assistant', content: 'Yes.' },
  ];
  await must('PUT', '/v1/sessions/garden', { turns });

  const asked = { pattern: 'sealed', variables: { topic: plant('text', 'variable') }, model: 'garden/m' };
  const answer = (kind: Canary['kind'], name: string) => `${tells.answer}${plant(kind, name)};`;
  await must('POST', '/v1/runs', {
    ...asked,
    input: `${plant('text', 'input')} ${answer('text', 'output')}`,
    context: 'garden',
    session: 'garden',
    attachments: [{ type: 'text', name: 'note.txt', text: plant('text', 'attachment') }],
    idempotency_key: plant('text', 'idempotency key'),
  });
  await must('POST', '/v1/runs', {
    ...asked,
    pattern: 'personal',
    variables: {},
    input: plant('text', 'input of a person'),
    subject: plant('text', 'name of a data subject'),
  });
  const streamed = { ...asked, input: `${plant('text', 'streamed input')} ${answer('text', 'streamed output')}` };
  await recorder.send('owner', 'POST', '/v1/runs', { key, body: { ...streamed, stream: true } });
  const nothing = (name: string) => ({
    pattern: 'unstored',
    model: 'garden/m',
    input: `${plant('unstored', `unstored input ${name}`)} ${answer('unstored', `unstored output ${name}`)}`,
  });
  await must('POST', '/v1/runs', nothing('at once'));
  await recorder.send('owner', 'POST', '/v1/runs', { key, body: { ...nothing('as a stream'), stream: true } });
  const broken = `${plant('unstored', 'unstored input that fails')} ${tells.sayInput}`;
  await recorder.send('owner', 'POST', '/v1/runs', { key, body: { ...nothing('unused'), input: broken } });
  const queued = await must('POST', '/v1/runs', {
    ...asked,
    input: `${plant('text', 'queued input')} ${answer('text', 'queued output')}`,
    mode: 'async',
  });
  const silent = await must('POST', '/v1/runs', { ...nothing('queued'), mode: 'async' });
  const items = [
    { input: plant('text', 'line of a batch'), variables: { topic: 'x' } },
    { input: 'x', variables: { [`v${plant('text', 'rejected line')}`]: 'x' } },
  ];
  const { id: batch } = await must('POST', '/v1/batches', {
    pattern: 'sealed',
    model: 'garden/m',
    items,
    accept: 'valid',
  });
  await must('PUT', '/v1/timers/garden', { cron: yearly, run: { ...asked, input: plant('text', 'input of a timer') } });
  const chain = `steps:
  draft: {pattern: unstored_not, model: garden/m}
  ok: {approval: {message: [Send it?, $steps.draft.output]}}
  send: {pattern: unstored_not, model: garden/m, input: $steps.draft.output, after: [ok]}
`;
  await must('POST', '/v1/patterns', { name: 'unstored_not', system: 'Speak.' });
  await must('POST', '/v1/patterns', { name: 'asks', files: [{ path: 'pattern.yaml', content: chain }] });
  const asks = await must('POST', '/v1/runs', {
    pattern: 'asks',
    input: `${plant('text', 'input of a chain')} ${answer('text', 'draft of a chain')}`,
    mode: 'async',
  });
  await until(async () => (await must('GET', `/v1/runs/${asks.id}`)).status === 'waiting');
  const decision = { decision: 'approve', step: 'ok', comment: plant('text', 'comment of a person') };
  await recorder.send('owner', 'POST', `/v1/runs/${asks.id}/decisions`, { key, body: decision });
  for (const { id } of [queued, silent]) {
    await until(async () => /succeeded|failed/.test((await must('GET', `/v1/runs/${id}`)).status));
  }
  await until(async () => (await must('GET', `/v1/batches/${batch}`)).status !== 'running');
  return { key, providerKey, pattern: 'sealed' };
}

async function until(what: () => Promise<boolean>) {
  for (let look = 0; !(await what()); look++) {
    assert.ok(look < 400, `It never came: ${what}`);
    await sleep(50);
  }
}

/** People who sign in, each way there is; what they were given is secret. */
export async function signInAll(recorder: Recorder, garden: Garden, key: string): Promise<void> {
  const { grow } = garden;
  const ask = (method: string, path: string, options: Parameters<Recorder['send']>[3] = {}) =>
    recorder.send('owner', method, path, options);
  const cookieOf = (reply: Awaited<ReturnType<typeof ask>>) =>
    reply.headers.filter(([name]) => name === 'set-cookie').map(([, value]) => value.split(';')[0] as string);
  const { body: link } = await ask('POST', '/v1/login-links', { key, body: {} });
  const secret = grow('login link', String(link.url).split('#link=')[1]);
  const entered = await ask('POST', '/v1/login/link', { body: { link: secret } });
  const [cookie = ''] = cookieOf(entered);
  grow('session cookie', cookie.split('=')[1]);
  const { body: login } = await ask('GET', '/v1/login', { headers: [['cookie', cookie]] });
  const person = [
    ['cookie', cookie],
    ['damask-csrf', login.csrf],
    ['sec-fetch-site', 'same-origin'],
  ] as const;

  const options = await ask('POST', '/v1/me/passkeys/options', { headers: person, body: {} });
  grow('challenge of a new passkey', options.body.options.challenge);
  grow('state of a new passkey', options.body.state);
  const passkeys = await ask('POST', '/v1/login/passkey/options', { body: {} });
  grow('challenge of a passkey', passkeys.body.options.challenge);
  const wrong = { passkey: { id: 'AAAA' }, state: passkeys.body.state };
  await ask('POST', '/v1/login/passkey', { body: wrong });

  const verifier = grow('verifier of a command line', chance(43), false);
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const asked = await ask('POST', '/v1/login/command-line', {
    body: { challenge, name: 'laptop', port: 40_000, state: chance(22) },
  });
  const approved = await ask('POST', `/v1/me/command-line-logins/${asked.body.user_code}/approval`, {
    headers: person,
    body: {},
  });
  const code = grow('code of a command line', new URL(approved.body.location).searchParams.get('code') ?? undefined);
  const done = await ask('POST', `/v1/login/command-line/${asked.body.login}`, { body: { verifier, code } });
  grow('login of a command line', done.body.secret);

  const idp = await startIdentityProvider();
  try {
    const { body: provider } = await ask('PUT', '/v1/identity-providers/near', {
      key,
      body: {
        issuer: idp.issuer,
        client_id: idp.clientId,
        client_secret: grow('client secret in use', idp.clientSecret, false),
        scopes: ['email', 'profile'],
        default_role: 'viewer',
      },
    });
    idp.allowRedirect(provider.redirect_uri);
    const begun = await ask('GET', new URL(provider.login_url).pathname);
    const location = String(begun.headers.find(([name]) => name === 'location')?.[1]);
    grow('state of a sign-in', new URL(location).searchParams.get('state') ?? undefined);
    grow('nonce of a sign-in', new URL(location).searchParams.get('nonce') ?? undefined);
    const tickets = cookieOf(begun);
    grow('ticket of a sign-in', tickets[0]?.split('=')[1]);
    const back = new URL(await idp.browse(location));
    grow('code of an identity provider', back.searchParams.get('code') ?? undefined, false);
    const path = back.pathname + back.search;
    const finished = await ask('GET', path, { headers: [['cookie', tickets.join('; ')]] });
    const [session] = cookieOf(finished).filter((one) => one.startsWith('damask='));
    grow('session cookie by an identity provider', session?.split('=')[1]);
    await ask('GET', path, { headers: [['cookie', tickets.join('; ')]] });
    await ask('GET', `${path.replace(/code=[^&]+/, 'code=x')}`, { headers: [['cookie', tickets.join('; ')]] });
    const token = await idp.sign({
      iss: idp.issuer,
      aud: 'nobody',
      sub: 'machine',
      exp: Math.floor(Date.now() / 1_000) + 60,
    });
    grow('token of a machine', token.split('.')[2], false);
    await ask('GET', '/v1/me', { key: token });
  } finally {
    await idp.stop();
  }
}
