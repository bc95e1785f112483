import { type Role, roles } from '@damask/contracts/permissions.ts';
import type { HttpClient } from '../http-client.ts';

/** One of two workspaces with the same content, whose mark stands in every text and name of it. */
export interface Side {
  /** Five lower-case letters that occur nowhere else. */
  readonly mark: string;
  readonly workspace: string;
  readonly owner: string;
  readonly keys: Readonly<Record<Role | 'expired' | 'revoked', string>>;
  /** When the expired key really is, in milliseconds since 1970. */
  readonly expiredAt: number;
  /** What fields can name, by the word for it in `fields.csv`. */
  readonly things: Record<string, string | number>;
  /** Strings that nobody else may ever see. */
  readonly secrets: string[];
}

interface Seed {
  readonly id: string;
  readonly ownerKey: string;
  readonly mark: string;
  /** One version, label and key more than the other side. */
  readonly more?: boolean;
}

/** Fills a workspace with one thing of each kind at least, all of which bear its mark. */
export async function seed(client: HttpClient, modelUrl: string, given: Seed): Promise<Side> {
  const { id: workspace, ownerKey: owner, mark, more = false } = given;
  const must = async (method: string, path: string, body?: unknown) => {
    const reply = await client.send(method, path, { key: owner, body });
    if (reply.status >= 300) throw new Error(`Seeding ${method} ${path} answered ${reply.status}: ${reply.text}`);
    return reply.body;
  };
  const pattern = `${mark}_mail`;
  // Without the mark, so that the other side may make its own under this name and show it.
  const second = more ? 'second_b' : 'second_a';
  const text = (what: string) => `# ${mark} ${what}\n\nDo what ${mark} says about {{topic}}.`;
  const files = [
    { path: 'system.md', content: text('files') },
    { path: 'pattern.yaml', content: `title: ${mark} title\ndescription: ${mark} text\ntags: [${mark}-tag]\n` },
  ];
  const made = await must('POST', '/v1/patterns', { name: pattern, files, message: `${mark} first` });
  await must('POST', `/v1/patterns/${pattern}/versions`, { system: text('second'), message: `${mark} second` });
  await must('PUT', `/v1/patterns/${pattern}/labels/${mark}_gone`, { version: 1 });
  await must('DELETE', `/v1/patterns/${pattern}/labels/${mark}_gone`);
  await must('PUT', `/v1/patterns/${pattern}/labels/${mark}_live`, { version: 1 });
  const hidden = await must('POST', '/v1/patterns', { name: `${mark}_deleted`, files });
  await must('DELETE', `/v1/patterns/${mark}_deleted`);
  await must('POST', '/v1/patterns', { name: second, system: text('other') });
  await must('POST', '/v1/patterns', { name: `${second}_tree`, system: text('tree') });
  // The same names on both sides, once with other texts and once with the very same.
  await must('POST', '/v1/patterns', { name: 'same_name', system: text('same name') });
  await must('POST', '/v1/patterns', { name: 'same_text', system: 'The same text on both sides, about {{topic}}.' });
  if (more) await must('POST', '/v1/patterns/same_name/versions', { system: text('one more') });
  await must('PUT', `/v1/patterns/same_name/labels/${mark}_live`, { version: 1 });
  await must('PUT', `/v1/strategies/${mark}_think`, { prompt: `${mark} thinks first.`, description: `${mark} how` });
  await must('PUT', `/v1/patterns/same_name/labels/${second}`, { version: 1 });
  await must('PUT', `/v1/strategies/${second}`, { prompt: `${mark} thinks last.` });
  await must('PUT', '/v1/strategies/same_strategy', { prompt: `${mark} thinks.` });
  for (const name of [`${mark}_facts`, second, 'same_context']) {
    await must('PUT', `/v1/contexts/${name}`, { content: `${mark} sells lamps.` });
  }
  for (const name of [`${mark}_talk`, second, 'same_session']) {
    const turns = [
      { role: 'user', content: `${mark} says hello.` },
      { role: 'assistant', content: `Hello, ${mark}.` },
    ];
    await must('PUT', `/v1/sessions/${name}`, { turns });
  }
  const provider = { base_url: modelUrl, api_key: `sk-${mark}`, models: [{ id: `${mark}-large` }] };
  await must('PUT', `/v1/providers/${mark}_models`, provider);
  await must('PUT', `/v1/providers/${second}`, provider);
  for (const name of [`${mark}_role`, second]) await must('PUT', `/v1/roles/${name}`, { permissions: ['run:read'] });
  for (const name of [`${mark}_robot`, second]) await must('PUT', `/v1/service-accounts/${name}`, { role: 'viewer' });
  for (const name of [`${mark}_team`, second]) await must('PUT', `/v1/teams/${name}`, { description: mark });
  for (const name of [`${mark}_login`, second]) {
    await must('PUT', `/v1/identity-providers/${name}`, { issuer: `https://${mark}.example`, client_id: mark });
  }
  const invitations = [];
  for (const name of [`${mark} first`, `${mark} second`]) {
    invitations.push(await must('POST', '/v1/invitations', { role: 'viewer', name, email: `${mark}@example.org` }));
  }
  const userNames = [`${mark}@example.com`, `${mark}.two@example.com`];
  const people = await Promise.all(userNames.map((userName) => must('POST', '/scim/v2/Users', { userName })));
  const members = people.map(({ id }) => ({ value: id }));
  const group = await must('POST', '/scim/v2/Groups', { displayName: `${mark} group`, members });
  const atATime = more ? 918_273 : 564_738;
  await must('PUT', '/v1/queue', { concurrency: atATime });
  const expressions = [{ name: mark, expression: `${mark}-[0-9]{9}` }];
  await must('PUT', '/v1/redaction', { kinds: [], expressions, model: false });
  for (const name of [`${mark}_spend`, second]) {
    await must('PUT', `/v1/budgets/${name}`, {
      covers: 'environment',
      of: 'nowhere',
      period: 'month',
      limit_tokens: 1_000,
    });
  }
  for (const name of [`${mark}_clock`, second]) {
    await must('PUT', `/v1/timers/${name}`, {
      cron: '@yearly',
      run: { pattern, input: `${mark} asks`, variables: { topic: mark }, model: `${mark}_models/${mark}-large` },
    });
  }
  for (const name of [`${mark}_hold`, second]) {
    await must('PUT', `/v1/holds/${name}`, { reason: mark, subject: `${mark} held` });
  }
  // The second of them has more lines that were rejected than a page of one.
  const batches = [];
  for (const input of [`${mark} asks`, `${mark} asks again`]) {
    const items = [{ input, variables: { topic: mark } }, { input: '' }, { input, variables: { [mark]: mark } }];
    const fields = { pattern, items, accept: 'valid', model: `${mark}_models/${mark}-large` };
    const start_at = new Date(Date.now() + 300 * 86_400_000).toISOString();
    batches.push(await must('POST', '/v1/batches', { ...fields, start_at, metadata: { mark } }));
  }
  const batch = batches[0].id;
  const run = await must('POST', '/v1/runs', {
    pattern,
    input: `${mark} asks`,
    variables: { topic: `${mark} topic` },
    model: `${mark}_models/${mark}-large`,
    metadata: { who: mark },
  });
  await must('POST', '/v1/runs', {
    pattern: 'same_name',
    input: mark,
    variables: { topic: mark },
    model: 'openai/x',
    idempotency_key: `${mark}-once`,
    subject: `${mark} himself`,
  });

  const keyNamed = (name: string, role: Role, expires_at?: string) =>
    must('POST', '/v1/keys', { name: `${mark} ${name}`, role, ...(expires_at ? { expires_at } : {}) });
  const roleKeys = await Promise.all(roles.map((role) => keyNamed(role, role)));
  const expiredAt = Date.now() + 1_500;
  const expired = await keyNamed('expired', 'owner', new Date(expiredAt).toISOString());
  const revoked = await keyNamed('revoked', 'owner');
  await must('DELETE', `/v1/keys/${revoked.id}`);
  const all = [...roleKeys, expired, revoked];
  const cursors = Object.fromEntries(
    await Promise.all(
      Object.entries(pagedLists(pattern, `${mark}_talk`, batch)).map(async ([list, path]) => {
        const page = await must('GET', `${path}?limit=1`);
        return [`cursor of ${list}`, page.next ?? 'none'];
      }),
    ),
  );
  return {
    mark,
    workspace,
    owner,
    keys: {
      ...(Object.fromEntries(roles.map((role, i) => [role, roleKeys[i].key])) as Record<Role, string>),
      expired: expired.key,
      revoked: revoked.key,
    },
    expiredAt,
    things: {
      pattern,
      'deleted pattern': `${mark}_deleted`,
      version: 2,
      label: `${mark}_live`,
      key: roleKeys[0].id,
      strategy: `${mark}_think`,
      context: `${mark}_facts`,
      session: `${mark}_talk`,
      provider: `${mark}_models`,
      budget: `${mark}_spend`,
      timer: `${mark}_clock`,
      hold: `${mark}_hold`,
      role: `custom:${mark}_role`,
      'custom role': `${mark}_role`,
      'identity provider': `${mark}_login`,
      'service account': `${mark}_robot`,
      team: `${mark}_team`,
      invitation: invitations[0].id,
      'scim user': people[0].id,
      'scim group': group.id,
      model: `${mark}_models/${mark}-large`,
      run: run.id,
      batch,
      subject: `${mark} himself`,
      'idempotency key': `${mark}-once`,
      tag: `${mark}-tag`,
      text: mark,
      // What a caller of the other side may make under the same name, without meeting these.
      'other pattern': second,
      'other tree': `${second}_tree`,
      'other label': second,
      'other strategy': second,
      'other context': second,
      'other session': second,
      'other provider': second,
      'other budget': second,
      'other timer': second,
      'other hold': second,
      'other custom role': second,
      'other identity provider': second,
      'other service account': second,
      'other team': second,
      ...cursors,
    },
    secrets: [
      mark,
      workspace,
      owner,
      String(atATime),
      made.id,
      hidden.id,
      run.id,
      group.id,
      ...people.map(({ id }) => id),
      ...invitations.flatMap(({ id, url }) => [id, url.split('=')[1]]),
      ...batches.map(({ id }) => id),
      ...all.flatMap((key) => [key.id, key.key, key.prefix]),
    ],
  };
}

/** Lists with pages, by the operation's title. Each has more than one row on both sides. */
function pagedLists(pattern: string, session: string, batch: string): Record<string, string> {
  return {
    'GET /v1/keys': '/v1/keys',
    'GET /v1/identity-providers': '/v1/identity-providers',
    'GET /v1/invitations': '/v1/invitations',
    'GET /v1/roles': '/v1/roles',
    'GET /v1/service-accounts': '/v1/service-accounts',
    'GET /v1/teams': '/v1/teams',
    'GET /v1/patterns': '/v1/patterns',
    'GET /v1/patterns/{pattern}/versions': `/v1/patterns/${pattern}/versions`,
    'GET /v1/patterns/{pattern}/label-moves': `/v1/patterns/${pattern}/label-moves`,
    'GET /v1/exports': '/v1/exports',
    'GET /v1/strategies': '/v1/strategies',
    'GET /v1/contexts': '/v1/contexts',
    'GET /v1/budgets': '/v1/budgets',
    'GET /v1/timers': '/v1/timers',
    'GET /v1/holds': '/v1/holds',
    'GET /v1/sessions': '/v1/sessions',
    'GET /v1/sessions/{session}/turns': `/v1/sessions/${session}/turns`,
    'GET /v1/runs': '/v1/runs',
    'GET /v1/batches': '/v1/batches',
    'GET /v1/batches/{batch}/errors': `/v1/batches/${batch}/errors`,
  };
}
