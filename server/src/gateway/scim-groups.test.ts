import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

let platform: TestPlatform;
before(async () => {
  platform = await startTestPlatform();
});
after(() => platform.stop());

const scim = (method: string, path: string, body?: unknown, key = platform.alpha.ownerKey) =>
  platform.call(method, `/scim/v2${path}`, body, {
    key,
    headers: body === undefined ? {} : { 'content-type': 'application/scim+json' },
  });
const must = async (method: string, path: string, body?: unknown) => {
  const reply = await scim(method, path, body);
  assert.ok(reply.status < 300, `${method} ${path}: ${reply.text}`);
  return reply.body;
};
const patchOf = (...Operations: object[]) => ({ Operations });
let count = 0;
const person = async () => (await must('POST', '/Users', { userName: `member${count++}@example.com` })).id as string;
const member = async (id: string) => (await platform.call('GET', `/v1/members/${id}`)).body;
const membersOf = async (group: string) =>
  (await must('GET', `/Groups/${group}`)).members.map(({ value }: { value: string }) => value);

test('a group that no identity provider names is the team that is called as it', async () => {
  const [ada, bob] = [await person(), await person()];
  const group = await scim('POST', '/Groups', {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
    displayName: 'Data Team (EU)',
    externalId: 'g-1',
    members: [{ value: ada }],
  });
  assert.equal(group.status, 201, group.text);
  const { id, meta } = group.body;
  assert.equal(group.headers.get('location'), meta.location);
  assert.deepEqual((await member(ada)).teams, ['data-team-eu']);
  for (const filter of ['displayName eq "data team (EU)"', 'externalId eq "g-1"', `members eq "${ada}"`]) {
    const { Resources } = await must('GET', `/Groups?filter=${encodeURIComponent(filter)}`);
    assert.deepEqual(
      Resources.map((one: { id: string }) => one.id),
      [id],
      filter,
    );
  }
  // As Entra, Okta and others take people in and out.
  const added = await scim('PATCH', `/Groups/${id}`, patchOf({ op: 'Add', path: 'members', value: [{ value: bob }] }));
  assert.deepEqual([added.status, added.text], [204, '']);
  assert.deepEqual((await membersOf(id)).sort(), [ada, bob].sort());
  await must('PATCH', `/Groups/${id}`, patchOf({ op: 'remove', path: `members[value eq "${ada}"]` }));
  assert.deepEqual((await member(ada)).teams, []);
  await must('PATCH', `/Groups/${id}`, patchOf({ op: 'Remove', path: 'members', value: [{ value: bob }] }));
  assert.deepEqual(await membersOf(id), []);
  await must(
    'PATCH',
    `/Groups/${id}`,
    patchOf({ op: 'replace', value: { id, members: [{ value: ada }, { value: bob }] } }),
  );
  await must('PATCH', `/Groups/${id}`, patchOf({ op: 'replace', value: { id, displayName: 'Renamed' } }));
  assert.deepEqual([(await member(ada)).teams, (await member(bob)).teams], [['renamed'], ['renamed']]);
  assert.deepEqual(
    (await must('GET', `/Users/${ada}`)).groups.map(({ display }: { display: string }) => display),
    ['Renamed'],
  );
  await must('PUT', `/Groups/${id}`, { displayName: 'Renamed', members: [{ value: bob }] });
  assert.deepEqual([(await member(ada)).teams, (await member(bob)).teams], [[], ['renamed']]);
  // Whoever comes back is in the teams of their groups again.
  await must('PATCH', `/Users/${bob}`, patchOf({ op: 'replace', value: { active: false } }));
  await must('PATCH', `/Users/${bob}`, patchOf({ op: 'replace', value: { active: true } }));
  assert.deepEqual((await member(bob)).teams, ['renamed']);
  assert.equal((await scim('DELETE', `/Groups/${id}`)).status, 204);
  assert.deepEqual((await member(bob)).teams, []);
  assert.equal((await scim('GET', `/Groups/${id}`)).status, 404);
});

test('a group that an identity provider names gives the role that sign-ins of it would give', async () => {
  await platform.call('PUT', '/v1/identity-providers/corp', {
    issuer: 'https://login.example',
    client_id: 'damask',
    roles: [
      { group: 'Damask Admins', role: 'admin' },
      { group: 'object-2', role: 'author' },
    ],
    default_role: 'runner',
  });
  const ada = await person();
  assert.equal((await member(ada)).role, 'runner');
  const authors = await must('POST', '/Groups', {
    displayName: 'Authors',
    externalId: 'object-2',
    members: [{ value: ada }],
  });
  const { role, teams } = await member(ada);
  assert.deepEqual({ role, teams }, { role: 'author', teams: [] });
  const admins = await must('POST', '/Groups', { displayName: 'Damask Admins', members: [{ value: ada }] });
  assert.equal((await member(ada)).role, 'admin');
  await must('DELETE', `/Groups/${admins.id}`);
  assert.equal((await member(ada)).role, 'author');
  await must('PATCH', `/Users/${ada}`, patchOf({ op: 'replace', value: { active: false } }));
  await must('PATCH', `/Users/${ada}`, patchOf({ op: 'replace', value: { active: true } }));
  assert.equal((await member(ada)).role, 'author');
  await must('PATCH', `/Groups/${authors.id}`, patchOf({ op: 'remove', path: 'members' }));
  assert.equal((await member(ada)).role, 'runner');
  await platform.call('DELETE', '/v1/identity-providers/corp');
});

test('a group takes people of its own workspace only, and all of a change or nothing', async () => {
  const ada = await person();
  const theirs = await scim('POST', '/Users', { userName: 'theirs@example.com' }, platform.beta.ownerKey);
  const { id } = await must('POST', '/Groups', { displayName: 'Mine', members: [{ value: ada }] });
  const refusals = [];
  for (const value of [theirs.body.id, '018f0000-0000-7000-8000-00000000dead']) {
    const change = patchOf(
      { op: 'remove', path: `members[value eq "${ada}"]` },
      { op: 'add', path: 'members', value: [{ value }] },
    );
    const { status, body } = await scim('PATCH', `/Groups/${id}`, change);
    const { request_id: _, ...same } = body;
    assert.deepEqual([status, body.scimType], [400, 'invalidValue']);
    refusals.push(same);
    const made = await scim('POST', '/Groups', { displayName: 'Theirs', members: [{ value }] });
    assert.equal(made.status, 400);
  }
  assert.deepEqual(refusals[0], refusals[1]);
  assert.deepEqual(await membersOf(id), [ada]);
  const foreign = await scim('GET', `/Groups/${id}`, undefined, platform.beta.ownerKey);
  assert.equal(foreign.status, 404);
  const taken = await scim('POST', '/Groups', { displayName: 'MINE' });
  assert.deepEqual([taken.status, taken.body.scimType], [409, 'uniqueness']);
  for (const body of [{}, { displayName: 'x', members: ['nobody'] }, { displayName: 'x', members: [{ value: 1 }] }]) {
    assert.equal((await scim('POST', '/Groups', body)).status, 400, JSON.stringify(body));
  }
  const wrong = patchOf({ op: 'remove', path: 'members[display eq "x"]' });
  assert.equal((await scim('PATCH', `/Groups/${id}`, wrong)).body.scimType, 'invalidPath');
});

test('lists of many groups leave their members out', async () => {
  await must('POST', '/Groups', { displayName: 'One more', members: [{ value: await person() }] });
  const { Resources } = await must('GET', '/Groups');
  assert.ok(Resources.length > 1);
  assert.ok(Resources.every((group: object) => !('members' in group)));
  const one = await must('GET', '/Groups?filter=displayName+eq+%22one+more%22&excludedAttributes=members');
  assert.deepEqual([one.totalResults, 'members' in one.Resources[0]], [1, false]);
});
