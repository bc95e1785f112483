import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readKeyFile } from '../../cli/src/audit/read-folder.ts';
import { readCsv } from '../../cli/src/evidence/csv-text.ts';
import { verifyEvidence } from '../../cli/src/evidence/verify-evidence.ts';
import { writeArchive } from '../../cli/src/write-archive.ts';
import { makeFolder, runCli } from '../../cli/test/run-cli.ts';
import { type AuditWorld, startAuditWorld } from '../audit/audit-world.ts';

let world: AuditWorld;
let folder: string;
let archive: string;
let exported: Awaited<ReturnType<typeof damask>>;
const results = {
  suite: 'quick',
  tests: [{ file: 'tests/a.test.ts', title: 'it works', result: 'passed', ms: 1 }],
};

const damask = (args: string[], key?: string) => {
  const { url, alpha } = world.platform;
  return runCli(args, { url, env: { DAMASK_API_KEY: key ?? alpha.ownerKey } });
};
const exportTo = (path: string, more: string[] = [], key?: string) =>
  damask(['evidence', 'export', '--since', '2020-01-01', '-o', path, ...more], key);
const verify = (path: string, ...more: string[]) =>
  runCli(['evidence', 'verify', path, ...more], { url: 'http://127.0.0.1:9' });
const trusted = () => ['--public-key', join(world.folder, 'keys.json')];

before(async () => {
  world = await startAuditWorld();
  folder = makeFolder();
  archive = join(folder, 'evidence.tar.gz');
  const { platform } = world;
  await world.write(2);
  await platform.call('POST', '/v1/keys', { name: '=cmd|calc', role: 'viewer', scopes: ['run:read'] });
  await platform.call('PUT', '/v1/roles/directory', { permissions: ['scim:write'] });
  const made = await platform.call('POST', '/v1/keys', { name: 'directory', role: 'custom:directory' });
  assert.equal(made.status, 201, made.text);
  await platform.call('PUT', '/v1/teams/legal', { description: 'Reads contracts' });
  await platform.call('PUT', '/v1/service-accounts/robot', { role: 'runner' });
  await platform.call('PUT', '/v1/holds/case-7', { reason: 'A claim', pattern: 'summarize' });
  await platform.call('PUT', '/v1/providers/mine', {
    base_url: 'https://models.example.com/v1',
    api_key: 'sk-test-hidden',
  });
  await world.behind(`update identity.api_key set created_at = now() - interval '200 days' where name = 'key 0'`);
  await world.anchor();
  writeFileSync(join(folder, 'quick.json'), JSON.stringify(results));
  exported = await exportTo(archive, ['--results', join(folder, 'quick.json')]);
});
after(() => world.stop());

const trustedKeys = () => readKeyFile(join(world.folder, 'keys.json'));

/** The files of an archive by their paths, as `tar` unpacks it. */
function unpack(path: string): Map<string, string> {
  const into = makeFolder();
  execFileSync('tar', ['-xzf', path, '-C', into]);
  const names = readdirSync(join(into, 'damask-evidence'), { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => statSync(join(into, 'damask-evidence', name)).isFile());
  return new Map(files.map((name) => [name, readFileSync(join(into, 'damask-evidence', name), 'utf8')]));
}

const pack = (path: string, files: ReadonlyMap<string, string>) => {
  const all = [...files].map(([name, content]) => ({ path: `damask-evidence/${name}`, content }));
  writeFileSync(path, writeArchive('tar.gz', all));
};

test('an owner gets all evidence of a period in one sealed archive', () => {
  assert.equal(exported.code, 0, exported.stderr);
  assert.match(exported.stdout, /evidence\.tar\.gz: \d+ files, .*, sealed \d{4}-/);
  assert.equal(statSync(archive).mode & 0o777, 0o600);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('.') || name.endsWith('.partial')),
    [],
  );
  const files = unpack(archive);
  const list = 'members invitations roles teams teams-members keys directories service-accounts identity-providers';
  const lists = [
    ...list.split(' ').map((name) => `access/${name}`),
    ...['audit/actions', 'encryption/keys', 'privacy/removals', 'privacy/erasures', 'privacy/holds', 'egress/allowed'],
    ...['providers/sub-processors', 'program/licences'],
    ...(existsSync('docs/security/controls.csv') ? ['controls/controls'] : []),
  ];
  const single = [
    ...['audit/entries.jsonl', 'audit/checkpoints.jsonl', 'audit/keys.json', 'audit/verify.json', 'manifest.json'],
    ...['encryption/encryption.json', 'privacy/retention.json', 'privacy/redaction.json', 'program/sbom.cdx.json'],
    ...['program/version.json', 'tests/results-1.json', 'seal.json'],
  ];
  const expected = [...lists.flatMap((name) => [`${name}.csv`, `${name}.json`]), ...single].sort();
  assert.deepEqual([...files.keys()].sort(), expected);
  for (const name of lists) {
    const rows = JSON.parse(files.get(`${name}.json`) ?? '') as unknown[];
    assert.equal(readCsv(files.get(`${name}.csv`) ?? '').length, rows.length, name);
  }
  const manifest = JSON.parse(files.get('manifest.json') ?? '');
  assert.deepEqual(manifest.left_out, []);
  assert.equal(manifest.not_given[0].what, 'backups and restore drills');
  assert.equal(manifest.workspace.id, world.platform.alpha.id);
  assert.equal(manifest.files.find(({ path }: { path: string }) => path === 'access/keys.json').from, 'GET /v1/keys');
});

test('keys that should go are marked, formulas are disarmed, directories are named, and no secret is in it', () => {
  const files = unpack(archive);
  const keys = readCsv(files.get('access/keys.csv') ?? '');
  const stale = keys.filter(({ stale }) => stale !== '').map(({ name, stale }) => [name, stale]);
  assert.deepEqual(stale, [['key 0', 'never used']]);
  assert.match(files.get('access/keys.csv') ?? '', /"'=cmd\|calc"/);
  const directories = readCsv(files.get('access/directories.csv') ?? '').map(({ name }) => name);
  assert.ok(directories.includes('directory') && !directories.includes('key 0'), String(directories));
  const all = [...files.values()].join('\n');
  assert.equal(all.includes('sk-test-hidden'), false);
  assert.equal(all.includes(world.platform.alpha.ownerKey), false);
  assert.match(files.get('providers/sub-processors.csv') ?? '', /^mine,workspace,.*models\.example\.com/m);
});

test('the audit log in it is checked, and can be checked again without us', async () => {
  const files = unpack(archive);
  const verdict = JSON.parse(files.get('audit/verify.json') ?? '');
  assert.deepEqual([verdict.problems, verdict.more], [[], 0]);
  assert.ok(verdict.entries > 5 && verdict.anchored >= 1);
  const into = makeFolder();
  for (const name of ['entries.jsonl', 'keys.json']) writeFileSync(join(into, name), files.get(`audit/${name}`) ?? '');
  writeFileSync(join(into, 'checkpoints-1.jsonl'), files.get('audit/checkpoints.jsonl') ?? '');
  const args = ['audit', 'verify', join(into, 'entries.jsonl'), '--checkpoints', into, '--from', '2020-01-01'];
  const again = await runCli(args, { url: 'http://127.0.0.1:9' });
  assert.equal(again.code, 0, again.stdout + again.stderr);
});

test('an archive is verified without a server', async () => {
  const whole = await verify(archive, ...trusted());
  assert.equal(whole.code, 0, whole.stdout + whole.stderr);
  assert.match(whole.stdout, /^workspace .*\nsealed .*\n\d+ files, .*\nAll is as it was sealed\.\n$/);
  assert.match(whole.stderr, /not given: backups and restore drills/);
  assert.match((await verify(archive)).stderr, /keys came from the archive itself/);
  assert.equal((await verify(join(folder, 'none.tar.gz'))).code, 5);
});

test('whatever is altered, missing or added is found', async () => {
  const files = unpack(archive);
  const changed = join(folder, 'changed.tar.gz');
  const codes = async (edit: (copy: Map<string, string>) => void, keys = trustedKeys()) => {
    const copy = new Map(files);
    edit(copy);
    pack(changed, copy);
    const { problems } = await verifyEvidence(changed, keys);
    return problems.map(({ code, path }) => `${code} ${path}`);
  };
  assert.deepEqual(await codes(() => undefined), []);
  const edited = (text = '') => text.replace('"role"', '"rolE"');
  assert.deepEqual(await codes((copy) => copy.set('access/keys.json', edited(copy.get('access/keys.json')))), [
    'altered access/keys.json',
  ]);
  assert.deepEqual(await codes((copy) => copy.delete('privacy/holds.csv')), ['missing privacy/holds.csv']);
  assert.deepEqual(await codes((copy) => copy.set('access/more.csv', 'x')), ['added access/more.csv']);
  assert.deepEqual(await codes((copy) => copy.delete('seal.json')), ['unsealed seal.json']);
  // Whoever makes the list anew as well has no key to sign it.
  const anew = (copy: Map<string, string>) => {
    const seal = JSON.parse(copy.get('seal.json') ?? '');
    const body = seal.body.replace(/"sha256":"[0-9a-f]{64}"/, `"sha256":"${'0'.repeat(64)}"`);
    copy.set('seal.json', `${JSON.stringify({ ...seal, body }, null, 2)}\n`);
  };
  assert.ok((await codes(anew)).includes('bad_signature seal.json'));
  const foreign = `${JSON.stringify([{ ...JSON.parse(files.get('audit/keys.json') ?? '')[0], public_key: otherKey }])}\n`;
  const keys = (copy: Map<string, string>) => copy.set('audit/keys.json', foreign);
  assert.deepEqual(await codes(keys, undefined), ['altered audit/keys.json']);
  const told = await verifyEvidence(changed, undefined);
  assert.deepEqual(
    told.problems.map(({ code }) => code),
    ['unknown_key', 'altered'],
  );
  const said = await verify(changed);
  assert.equal(said.code, 1);
  assert.match(said.stdout, /^altered: audit\/keys\.json is not what was sealed$/m);
});

const otherKey = 'MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=';

test('each single byte of the tar counts, and what stands behind it, too', async () => {
  const tar = gunzipSync(readFileSync(archive));
  const changed = join(folder, 'byte.tar.gz');
  const fails = async (bytes: Uint8Array) => {
    writeFileSync(changed, bytes);
    const { problems } = await verifyEvidence(changed, trustedKeys());
    assert.notEqual(problems.length, 0);
  };
  // The mode of a member, its padding, its content, and the end.
  for (const at of [105, 512 + 20, tar.length - 1, tar.length - 1_500]) {
    const copy = Buffer.from(tar);
    copy[at] = (copy[at] ?? 0) ^ 1;
    await fails(gzipSync(copy));
  }
  const whole = readFileSync(archive);
  await fails(Buffer.concat([whole, Buffer.from('more')]));
  await fails(Buffer.concat([whole, gzipSync('more')]));
  await fails(whole.subarray(0, whole.length - 40));
  await fails(gzipSync(tar.subarray(0, tar.length - 2_048)));
  await fails(Buffer.from('no archive'));
});

test('what the caller may not read is left out and named, and the command says so by its code', async () => {
  const permissions = ['self:read', 'evidence:write', 'audit:read', 'member:read', 'role:read'];
  const { platform } = world;
  assert.equal((await platform.call('PUT', '/v1/roles/auditor', { permissions })).status, 200);
  const made = await platform.call('POST', '/v1/keys', { name: 'auditor', role: 'custom:auditor' });
  const path = join(folder, 'part.tar.gz');
  const part = await exportTo(path, ['--json'], made.body.key);
  assert.equal(part.code, 4, part.stderr);
  assert.doesNotMatch(part.stderr, /Warning/);
  const told = JSON.parse(part.stdout);
  const left = told.left_out.map(({ what, need }: { what: string; need: string }) => `${what}: ${need}`);
  assert.ok(left.includes('API keys: key:read') && left.includes('legal holds: privacy:read'), String(left));
  const files = unpack(path);
  assert.equal(files.has('access/members.csv'), true);
  assert.equal(
    [...files.keys()].some((name) => name.startsWith('access/keys') || name.startsWith('privacy/holds')),
    false,
  );
  assert.equal((await exportTo(path, ['--partial'], made.body.key)).code, 0);
  const checked = await verify(path, ...trusted());
  assert.equal(checked.code, 0);
  assert.match(checked.stderr, /left out: API keys \(forbidden\)/);
});

test('who may not have evidence sealed is told before anything is collected, and bad flags are refused', async () => {
  const path = join(folder, 'refused.tar.gz');
  const refused = await exportTo(path, [], await world.platform.keyFor('operator'));
  assert.equal(refused.code, 4);
  assert.match(refused.stderr, /evidence:write/);
  assert.equal(existsSync(path), false);
  const wrong: [number, string[]][] = [
    [2, ['-o', path]],
    [2, ['--since', '2026-02-02', '--until', '2026-02-01', '-o', path]],
    [5, ['--since', '7d', '-o', path, '--results', join(folder, 'none.json')]],
  ];
  for (const [code, args] of wrong) {
    assert.equal((await damask(['evidence', 'export', ...args])).code, code, args.join(' '));
  }
});
