import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { AuditEntry } from '@damask/contracts/audit.ts';
import type { Verdict } from '../../cli/src/audit/verify-chain.ts';
import { loadSigningKeys, rotateSigningKey } from '../../server/src/platform/crypto/signing-keys.ts';
import { type AuditWorld, startAuditWorld } from './audit-world.ts';
import { chanceOf, hashOf, tamperings } from './tamper.ts';

let world: AuditWorld;
let whole: AuditEntry[];
before(async () => {
  world = await startAuditWorld();
  await world.write(30);
  await world.anchor();
  await world.write(12);
  await world.anchor();
  whole = await world.entries();
});
after(() => world.stop());

const saw = ({ problems }: Verdict, code: string, seq?: number) =>
  problems.some((one) => one.code === code && (seq === undefined || one.seq === seq));
const codes = ({ problems }: Verdict) => problems.map(({ code, seq }) => `${code} seq=${seq}`);

async function tampered(entries: readonly AuditEntry[]): Promise<Verdict> {
  await world.replace(entries);
  try {
    return await world.verify();
  } finally {
    await world.replace(whole);
  }
}

test('a chain that nobody touched is whole, and its checkpoints hold', async () => {
  const verdict = await world.verify();
  assert.deepEqual(verdict.problems, []);
  assert.equal(verdict.entries, whole.length);
  assert.equal(verdict.anchored, 2);
  assert.equal(verdict.anchored_until, whole.length);
});

test('the tables take no change and no deletion, from their owner and a superuser neither', async () => {
  for (const table of ['identity.audit', 'pattern.audit', 'identity.audit_entry', 'identity.audit_checkpoint']) {
    for (const statement of [
      `update ${table} set workspace = workspace`,
      `delete from ${table}`,
      `truncate ${table}`,
    ]) {
      await assert.rejects(
        world.behind(`set local session_replication_role = origin; ${statement}`),
        /never changed or taken away/,
        statement,
      );
    }
  }
  const { database } = world.platform.floor;
  for (const [role, statement] of [
    ['identity', 'insert into identity.audit_entry select * from identity.audit_entry'],
    ['identity', 'delete from identity.audit'],
    ['platform', 'update identity.audit_entry set reason = null'],
    ['platform', 'delete from pattern.audit'],
    ['pattern', 'select from identity.audit_entry'],
  ] as const) {
    await assert.rejects(
      database.transaction({ role, workspace: world.platform.alpha.id }, (transaction) => transaction.query(statement)),
      /permission denied/,
      `${role}: ${statement}`,
    );
  }
});

test('G-1: an entry that was edited is named', async () => {
  const entry = whole[9] as AuditEntry;
  const verdict = await tampered(whole.with(9, { ...entry, subject: 'key/another' }));
  assert.deepEqual(codes(verdict), ['hash_mismatch seq=10']);
});

test('G-2: an entry that was deleted from the middle leaves a gap', async () => {
  assert.deepEqual(codes(await tampered(whole.toSpliced(9, 1))), ['gap seq=10']);
  const [problem] = (await tampered(whole.toSpliced(4, 3))).problems;
  assert.equal(problem?.detail, 'entries 5 to 7 are missing');
});

test('G-3: an end that was cut off is missed by the checkpoint outside', async () => {
  const verdict = await tampered(whole.slice(0, -10));
  assert.deepEqual(codes(verdict), [`truncated seq=${whole.length - 9}`]);
  assert.match(
    verdict.problems[0]?.detail ?? '',
    new RegExp(`is of entry ${whole.length}, and it ends at ${whole.length - 10}`),
  );
  assert.deepEqual(codes(await tampered([])), ['truncated seq=1']);
});

test('G-4: what is newer than the last checkpoint and was cut off is missed by the count outside', async () => {
  await world.write(10);
  await world.behind(`update identity.audit_head set counted_at = null`);
  await world.platform.sealAudit();
  const longer = await world.entries();
  assert.deepEqual((await world.verify()).problems, []);
  await world.replace(longer.slice(0, -10));
  const verdict = await world.verify();
  assert.deepEqual(codes(verdict), [`unanchored_tail seq=${longer.length - 9}`]);
  // The platform notices too, with the next entry.
  await world.write(1);
  await world.platform.sealAudit();
  assert.ok(world.platform.logged.some(({ msg, message }) => /taken away from behind/.test(String(msg ?? message))));
  await world.replace(longer);
  whole = longer;
});

test('G-5: a chain that was rewritten from one entry on fits no checkpoint', async () => {
  await world.anchor();
  whole = await world.entries();
  const forge = tamperings['edit and rewrite the rest'];
  const verdict = await tampered(forge?.(whole, () => 0.2) ?? []);
  assert.ok(saw(verdict, 'checkpoint_mismatch'), codes(verdict).join());
  assert.ok(!saw(verdict, 'hash_mismatch') && !saw(verdict, 'gap'));
});

test('G-6: entries that changed places, and one that was copied from another workspace, are named', async () => {
  const swapped = tamperings.swap?.(whole, chanceOf(3)) ?? [];
  const places = swapped.flatMap((entry, at) => (entry === whole[at] ? [] : [at + 1]));
  const verdict = await tampered(swapped);
  assert.equal(places.length, 2);
  for (const place of places) assert.ok(saw(verdict, 'hash_mismatch', place), codes(verdict).join());

  const { platform } = world;
  const foreign = (await platform.call('GET', '/v1/audit/export', undefined, { key: platform.beta.ownerKey })).text;
  const [line = ''] = foreign.split('\n');
  const lines = whole.map((entry) => JSON.stringify(entry)).with(2, line);
  const mixed = await world.verify({ text: lines.join('\n') });
  assert.ok(saw(mixed, 'workspace_mismatch'), codes(mixed).join());
  // In the table the workspace is the row's own: there the hash tells.
  const copied = { ...(JSON.parse(line) as AuditEntry), seq: 3 };
  assert.ok(saw(await tampered(whole.with(2, copied)), 'hash_mismatch', 3));
});

test('G-7: a forged checkpoint is not signed, and a key that was replaced signs nothing later', async () => {
  const lines = await world.lines();
  const keys = await readFile(join(world.folder, 'keys.json'), 'utf8');
  const genuine = lines.find(({ body }) => body.includes('"checkpoint"') && body.includes(world.platform.alpha.id));
  assert.ok(genuine);
  const body = genuine.body.replace(/"seq":\d+/, '"seq":3');
  const forger = generateKeyPairSync('ed25519').privateKey;
  const forgeries = [
    { ...genuine, body },
    { ...genuine, body, signature: sign(null, Buffer.from(body), forger).toString('base64') },
    { ...genuine, key: '0123456789abcdef' },
    { ...genuine, signature: '' },
  ];
  for (const forged of forgeries) {
    const verdict = await world.verify({ lines: [...lines, forged] });
    assert.ok(saw(verdict, 'bad_signature'), codes(verdict).join());
  }
  // Whoever took the old key can sign with it for ever, but not for a time after its end.
  const file = join(world.platform.folder, '.config/damask/audit-signing.key');
  const old = await loadSigningKeys(file, Date.now());
  await rotateSigningKey(file, Date.now());
  await world.write(1);
  await world.anchor();
  const after = await readFile(join(world.folder, 'keys.json'), 'utf8');
  assert.equal(JSON.parse(after).length, 2);
  assert.equal(JSON.parse(after)[0].id, JSON.parse(keys)[0].id);
  whole = await world.entries();
  assert.deepEqual((await world.verify()).problems, []);
  const late = genuine.body.replace(/"at":"[^"]+"/, `"at":"${new Date(Date.now() + 1_000).toISOString()}"`);
  const stale = { body: late, key: old.current.id, signature: old.current.sign(late) };
  assert.ok(saw(await world.verify({ lines: [...(await world.lines()), stale] }), 'key_not_valid_at'));
});

test('a signing key that was lost leaves its public half, and what it signed is verified with it', async () => {
  const file = join(world.platform.folder, '.config/damask/audit-signing.key');
  const known = JSON.parse(await readFile(join(world.folder, 'keys.json'), 'utf8')) as { id: string }[];
  await rm(file);
  await world.write(1);
  await world.anchor();
  const keys = JSON.parse(await readFile(join(world.folder, 'keys.json'), 'utf8')) as { id: string; until: string }[];
  assert.deepEqual(
    keys.slice(0, -1).map(({ id }) => id),
    known.map(({ id }) => id),
  );
  assert.ok(keys.slice(0, -1).every(({ until }) => until !== null));
  whole = await world.entries();
  assert.deepEqual((await world.verify()).problems, []);
});

test('a checkpoint that is taken away from the folder is missed by the next one', async () => {
  const lines = await world.lines();
  const ours = lines.filter(({ body }) => body.includes('"checkpoint"') && body.includes(world.platform.alpha.id));
  const verdict = await world.verify({ lines: lines.filter((line) => line !== ours[1]) });
  assert.deepEqual(
    codes(verdict).map((code) => code.split(' ')[0]),
    ['checkpoint_missing'],
  );
});

test('lines that were moved in an export are named', async () => {
  const lines = whole.map((entry) => JSON.stringify(entry));
  const moved = lines.toSpliced(4, 1).toSpliced(7, 0, lines[4] as string);
  const verdict = await world.verify({ text: moved.join('\n') });
  assert.deepEqual(codes(verdict), ['gap seq=5', 'out_of_order seq=5']);
  assert.ok(saw(await world.verify({ text: lines.with(3, '{"seq":4').join('\n') }), 'unreadable'));
  assert.ok(saw(await world.verify({ text: [...lines, lines[2]].join('\n') }), 'out_of_order', 3));
});

test('a folder that holds no checkpoint of the workspace vouches for nothing', async () => {
  const others = (await world.lines()).filter(({ body }) => !body.includes(world.platform.alpha.id));
  for (const lines of [[], others]) {
    assert.deepEqual(codes(await world.verify({ lines })), ['unanchored_tail seq=1']);
    assert.deepEqual(codes(await world.verify({ lines, text: '' })), ['unanchored_tail seq=null']);
  }
});

test('a line that says a name twice, or that nobody can read to its end, is no entry', async () => {
  const lines = whole.map((entry) => JSON.stringify(entry));
  const tenth = lines[9] as string;
  for (const line of [
    tenth.replace('{', '{"action":"another",'),
    tenth.replace('{', '{ '),
    tenth.replace('{', `{"deep":${'['.repeat(100_000)}${']'.repeat(100_000)},`),
  ]) {
    const verdict = await world.verify({ text: lines.with(9, line).join('\n') });
    assert.deepEqual(codes(verdict), ['unreadable seq=null', 'gap seq=10']);
  }
  assert.deepEqual((await world.verify({ text: lines.join('\r\n') })).problems, []);
});

test('each of 100 random edits, deletions, reorderings and cuts is found', async () => {
  const missed: string[] = [];
  for (let seed = 0; seed < 100; seed += 1) {
    const chance = chanceOf(seed);
    const names = Object.keys(tamperings);
    const name = names[seed % names.length] as string;
    const entries = tamperings[name]?.(whole, chance) ?? [];
    const verdict = await world.verify({ text: entries.map((entry) => JSON.stringify(entry)).join('\n') });
    if (verdict.problems.length === 0) missed.push(`${seed}: ${name}`);
  }
  assert.deepEqual(missed, []);
});

test('the hash is that of the specification', () => {
  for (const entry of whole) assert.equal(hashOf(entry), entry.hash);
});
