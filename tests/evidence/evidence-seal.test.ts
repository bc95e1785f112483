import assert from 'node:assert/strict';
import { createPublicKey, hash, verify } from 'node:crypto';
import { after, before, test } from 'node:test';
import { evidenceSealDomain } from '@damask/contracts/evidence.ts';
import { type AuditWorld, startAuditWorld } from '../audit/audit-world.ts';

let world: AuditWorld;
before(async () => {
  world = await startAuditWorld();
});
after(() => world.stop());

const file = (path: string) => ({ path, bytes: 2, sha256: hash('sha256', path) });
const seal = (body: object, options?: Parameters<AuditWorld['platform']['call']>[3]) =>
  world.platform.call('POST', '/v1/evidence/seals', body, options);

test('a seal is signed by the key of the audit log, over who sealed what when, and leaves an entry and an event', async () => {
  await world.write(1);
  await world.platform.sealAudit();
  const files = [file('b.json'), file('access/keys.csv')];
  const { status, body: made } = await seal({ digests: files, since: '2026-10-01T00:00:00Z' });
  assert.equal(status, 201);
  const [key] = (await world.platform.call('GET', '/v1/audit/checkpoints')).body.keys;
  assert.equal(made.key, key.id);
  const publicKey = createPublicKey({ key: Buffer.from(key.public_key, 'base64'), format: 'der', type: 'spki' });
  const signed = (text: string) => verify(null, Buffer.from(text), publicKey, Buffer.from(made.signature, 'base64'));
  assert.equal(signed(evidenceSealDomain + made.body), true);
  assert.equal(signed(made.body), false, 'without its domain it could be taken for a checkpoint');
  const said = JSON.parse(made.body);
  const me = (await world.platform.call('GET', '/v1/me')).body;
  assert.deepEqual(
    [said.kind, said.id, said.at, said.since, said.until],
    ['evidence', made.id, made.at, '2026-10-01T00:00:00Z', null],
  );
  assert.deepEqual(said.workspace, { id: world.platform.alpha.id, name: me.workspace.name });
  assert.deepEqual(said.actor, { kind: 'key', id: me.actor.id, account: null });
  assert.deepEqual(
    said.files.map(({ path }: { path: string }) => path),
    ['access/keys.csv', 'b.json'],
  );
  const before = (await world.entries()).find(({ seq }) => seq === said.audit.seq);
  assert.equal(before?.hash, said.audit.hash);
  await world.platform.sealAudit();
  const entry = (await world.entries()).find(({ action }) => action === 'sealEvidence');
  assert.equal(entry?.subject, `evidence/${made.id}`);
  assert.equal(entry?.details.digest, hash('sha256', made.body));
  const [event] = await world.behind<{ data: object }>(
    `select data from identity.outbox where name = 'identity.evidence-sealed'`,
  );
  assert.deepEqual(event?.data, { evidence: made.id, files: 2 });
});

test('what is no list of digests is refused, and nothing is signed', async () => {
  const wrong = [
    {},
    { digests: [] },
    { digests: [file('../x')] },
    { digests: [file('/etc/passwd')] },
    { digests: [file('a//b')] },
    { digests: [{ ...file('a'), sha256: 'A'.repeat(64) }] },
    { digests: [{ ...file('a'), bytes: -1 }] },
    { digests: [file('a'), file('a')] },
    { digests: Array.from({ length: 201 }, (_, at) => file(`f${at}`)) },
    { digests: [file('a')], since: 'yesterday' },
  ];
  const count = async () =>
    (await world.behind(`select 1 from identity.audit where action = 'sealEvidence' and outcome = 'done'`)).length;
  const sealed = await count();
  for (const body of wrong) assert.equal((await seal(body)).status, 400, JSON.stringify(body).slice(0, 80));
  assert.equal(await count(), sealed);
});

test('only who reads the whole log seals: not operators, and no key that reaches a part', async () => {
  const { platform } = world;
  assert.equal((await seal({ digests: [file('a')] }, { key: await platform.keyFor('operator') })).status, 403);
  await platform.call('POST', '/v1/patterns', { name: 'one', system: 'Answer.' });
  const narrow = await platform.call('POST', '/v1/keys', { name: 'narrow', role: 'admin', patterns: ['one'] });
  const { key } = narrow.body;
  assert.equal((await seal({ digests: [file('a')] }, { key })).status, 403);
  assert.equal((await platform.call('GET', '/v1/evidence/program', undefined, { key })).status, 403);
});

test('the server tells what runs, with its bill of materials', async () => {
  const { status, body } = await world.platform.call('GET', '/v1/evidence/program');
  assert.equal(status, 200);
  assert.match(body.version, /^\d+\.\d+\.\d+/);
  assert.equal(JSON.parse(body.sbom).bomFormat, 'CycloneDX');
});
