import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import git from 'isomorphic-git';
import { AppError } from '#platform/app-error.ts';
import { makeTestCertificate } from '#platform/testing/test-certificate.ts';
import { libraryForTests } from '../library/library-for-tests.ts';
import { type GitServer, startGitServer } from './git-server-for-tests.ts';

const certificate = makeTestCertificate('localhost');
tls.setDefaultCACertificates([...tls.getCACertificates(), certificate.cert]);
const { library, alpha, beta, leftBy, sql, stop } = await libraryForTests();
let server: GitServer;
before(async () => {
  server = await startGitServer(certificate);
});
after(async () => {
  await server.stop();
  await stop();
});

const blobOf = async (content: string) => (await git.hashBlob({ object: content })).oid;
const refuses = async (input: Parameters<typeof library.importGit>[1], code: string, message: RegExp) => {
  const error = await library.importGit(alpha(), input).then(
    () => assert.fail(`${JSON.stringify(input)} was not refused`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof AppError, String(error));
  assert.deepEqual([error.code, message.test(error.message)], [code, true], error.message);
};

test('a commit is imported, pinned in report and versions, and the same commit again changes nothing', async () => {
  const text = '# IDENTITY\r\nGrüße\n';
  const first = await server.commit({
    'README.md': 'About.',
    'docs/link': { mode: '120000', content: '/etc/passwd' },
    'vendor/other': { mode: '160000', content: 'a'.repeat(40) },
    'data/patterns/greet/system.md': text,
    'data/patterns/greet/README.md': 'read me',
    'data/strategies/cot.json': '{"prompt":"Think."}',
    'scripts/pattern_descriptions/pattern_descriptions.json':
      '{"patterns":[{"patternName":"greet","description":"Greets","tags":["TALK"]}]}',
  });
  const context = alpha();
  const report = await library.importGit(context, { url: server.url });
  assert.deepEqual(report.source, { origin: `${server.url}@${first}`, commit: first });
  assert.deepEqual(
    report.patterns.map(({ name, outcome }) => [name, outcome]),
    [['greet', 'new']],
  );
  assert.deepEqual(report.strategies, [{ name: 'cot', outcome: 'new' }]);
  const version = await library.readVersion(alpha(), { pattern: 'greet', version: 1 });
  assert.deepEqual(version.source, {
    kind: 'import',
    origin: `${server.url}@${first}`,
    commit: first,
    blob: await blobOf(text),
  });
  assert.deepEqual([version.description, version.tags], ['Greets', ['TALK']]);
  assert.deepEqual(version.files, [
    { path: 'README.md', content: 'read me' },
    { path: 'system.md', content: text },
  ]);
  assert.equal((await leftBy(context)).audit[0]?.action, 'importGit');
  const elsewhere = await library.listPatterns(beta(), { search: 'greet' });
  assert.deepEqual(elsewhere.items, [], 'it is in the workspace of the caller alone');
  const again = await library.importGit(alpha(), { url: `${server.url}/` });
  assert.deepEqual(
    again.patterns.map(({ outcome }) => outcome),
    ['same'],
  );
});

test('a branch, a tag and a hash name commits, and a folder narrows what is read', async () => {
  const one = await server.commit({
    'mine/a/system.md': 'One.',
    'mine/b/system.md': 'B.',
    'patterns/c/system.md': 'C.',
  });
  await server.tag('v1', one);
  const two = await server.commit({ 'mine/a/system.md': 'Two.' });
  const read = async (ref: string) => {
    const report = await library.importGit(alpha(), { url: server.url, ref, path: 'mine', dry_run: true });
    return [report.source.commit, report.patterns.map(({ name }) => name).join()];
  };
  assert.deepEqual(await read('main'), [two, 'a']);
  assert.deepEqual(await read('v1'), [one, 'a,b']);
  assert.deepEqual(await read('refs/tags/v1'), [one, 'a,b']);
  assert.deepEqual(await read(one), [one, 'a,b']);
  const single = await library.importGit(alpha(), { url: server.url, ref: one, path: 'mine/b', dry_run: true });
  assert.deepEqual(
    single.patterns.map(({ name }) => name),
    ['b'],
  );
  await refuses({ url: server.url, ref: 'nowhere' }, 'invalid_repository', /no branch, tag or commit "nowhere"/);
  await refuses({ url: server.url, path: 'nowhere' }, 'invalid_repository', /no folder "nowhere"/);
});

test('addresses that are not public https are refused before and during the conversation', async () => {
  const input = (url: string) => ({ url });
  await refuses(input('http://example.org/x.git'), 'egress_denied', /https/);
  await refuses(input('ssh://git@example.org/x.git'), 'egress_denied', /ssh/);
  await refuses(input('file:///etc'), 'egress_denied', /file/);
  await refuses(input('git@example.org:x.git'), 'egress_denied', /not an address/);
  await refuses(input('https://user:pw@example.org/x.git'), 'egress_denied', /user or password/);
  await refuses(input('https://169.254.169.254/x.git'), 'egress_denied', /not a public address/);
  await refuses(input('https://[::ffff:10.0.0.1]/x.git'), 'egress_denied', /not a public address/);
  await refuses(input('https://example.org:22/x.git'), 'egress_denied', /Port 22/);
  await refuses(input(`${server.url}?x=1`), 'invalid_request', /query/);
  for (const ref of ['--upload-pack=x', 'a..b', '../x', 'a b', 'x.lock', '@{-1}']) {
    await refuses({ url: server.url, ref }, 'invalid_request', /ref/);
  }
  server.seen.length = 0;
  for (const location of ['https://10.0.0.7/fabric.git/info/refs', 'http://localhost/x', 'file:///etc/passwd']) {
    server.instead = () => ({ status: 302, headers: { location } });
    await refuses(input(server.url), 'egress_denied', /./);
  }
  assert.equal(server.seen.length, 3);
  server.instead = undefined;
});

test('a repository that moved is followed, for the second question too', async () => {
  const commit = await server.commit({ 'patterns/moved/system.md': 'Moved.' });
  server.instead = (path) =>
    path.startsWith('/old.git/info/refs')
      ? { status: 301, headers: { location: path.replace('/old.git', '/fabric.git') } }
      : undefined;
  const url = server.url.replace('fabric.git', 'old.git');
  assert.equal((await library.importGit(alpha(), { url, dry_run: true })).source.commit, commit);
  server.instead = undefined;
});

test('a server that has no repository, refuses or sends garbage is told apart, and nothing is imported', async () => {
  const count = async () => (await sql<{ count: string }>('select count(*) from pattern.version'))[0]?.count;
  const rows = await count();
  const page = { 'content-type': 'text/html' };
  const answers: [() => { status: number; headers?: Record<string, string>; body?: string }, RegExp][] = [
    [() => ({ status: 404 }), /answered 404.*only public/],
    [() => ({ status: 401 }), /answered 401.*only public/],
    [() => ({ status: 500 }), /answered 500.*later/],
    [() => ({ status: 200, headers: page, body: '<html>Sign in</html>' }), /no git repository/],
    [() => ({ status: 200, headers: page, body: '' }), /no git repository/],
  ];
  for (const [answer, message] of answers) {
    server.instead = answer;
    await refuses({ url: server.url }, 'invalid_repository', message);
  }
  server.instead = undefined;
  await server.commit({ 'patterns/x/system.md': 'x' });
  server.spoil = (pack) => pack.subarray(0, pack.length - 30);
  await refuses({ url: server.url }, 'invalid_repository', /what the git server sent|could not be read/);
  server.spoil = (pack) => {
    const more = Buffer.from(pack);
    more.writeUInt32BE(5_000_000, 8);
    return more;
  };
  await refuses({ url: server.url }, 'invalid_repository', /5000000 objects/);
  server.spoil = undefined;
  await server.commit({
    'patterns/x/system.md': 'x',
    'patterns/x/link.md': { mode: '120000', content: '/etc/passwd' },
  });
  await refuses({ url: server.url }, 'invalid_archive', /link\.md" is a link/);
  await server.commit({ 'patterns/a/system.md': 'a', 'patterns/A/system.md': 'b' });
  await refuses({ url: server.url }, 'invalid_tree', /only in capitals/);
  await server.commitBomb();
  await refuses({ url: server.url }, 'invalid_repository', /more than 100000 files; name a folder/);
  await server.commit({ 'patterns/ok/system.md': 'ok', 'patterns/bad name/system.md': 'b' });
  await refuses({ url: server.url }, 'invalid_tree', /cannot name a pattern/);
  assert.equal(await count(), rows);
});
