import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import tls from 'node:tls';
import { makeTestCertificate } from '#platform/testing/test-certificate.ts';
import { libraryForTests } from '../library/library-for-tests.ts';

const gitHere = spawnSync('git', ['--version']).status === 0;
const skip = gitHere ? false : 'the program git is needed, with its http-backend';

const certificate = makeTestCertificate('localhost');
tls.setDefaultCACertificates([...tls.getCACertificates(), certificate.cert]);
const folder = mkdtempSync(join(tmpdir(), 'damask-git-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const environment = {
  PATH: process.env.PATH,
  HOME: folder,
  GIT_CONFIG_NOSYSTEM: '1',
  ...Object.fromEntries(
    ['AUTHOR', 'COMMITTER'].flatMap((who) => [
      [`GIT_${who}_NAME`, 'Test'],
      [`GIT_${who}_EMAIL`, 'test@example.org'],
    ]),
  ),
};
const git = (...args: string[]) =>
  execFileSync('git', args, { cwd: join(folder, 'work'), env: environment, encoding: 'utf8' }).trim();

/** git's own server program behind a listener of ours. */
async function startBackend(): Promise<{ url: string; stop(): void }> {
  const server = createServer(certificate, (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://localhost');
    const backend = spawn('git', ['http-backend'], {
      env: {
        ...environment,
        GIT_PROJECT_ROOT: folder,
        GIT_HTTP_EXPORT_ALL: '1',
        REQUEST_METHOD: request.method,
        PATH_INFO: pathname,
        QUERY_STRING: searchParams.toString(),
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        ...(request.headers['content-length'] && { CONTENT_LENGTH: request.headers['content-length'] }),
      },
    });
    request.pipe(backend.stdin);
    const pieces: Buffer[] = [];
    backend.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    backend.on('close', () => {
      const whole = Buffer.concat(pieces);
      const end = whole.indexOf('\r\n\r\n');
      const headers = whole
        .toString('latin1', 0, end)
        .split('\r\n')
        .map((line) => line.split(': ') as [string, string]);
      const status = Number(headers.find(([name]) => name === 'Status')?.[1].slice(0, 3) ?? 200);
      response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== 'Status')));
      response.end(whole.subarray(end + 4));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    stop: () => server.close().closeAllConnections(),
  };
}

function write(path: string, content: string): void {
  mkdirSync(dirname(join(folder, 'work', path)), { recursive: true });
  writeFileSync(join(folder, 'work', path), content);
}

test("what git's own server sends, with deltas and tags, is read as git reads it", { skip }, async (context) => {
  mkdirSync(join(folder, 'work'));
  git('init', '-q', '-b', 'main');
  const line = (index: number) => `${index}: the quick brown fox jumps over the lazy dog\n`;
  const text = Array.from({ length: 500 }, (_, index) => line(index)).join('');
  // Alike, so that the pack keeps most of them as deltas of one another.
  for (let index = 0; index < 300; index++) write(`data/patterns/p_${index}/system.md`, `# ${index}\n${text}`);
  write('README.md', 'About.');
  git('add', '-A');
  git('commit', '-q', '-m', 'One');
  git('tag', '-a', 'v1', '-m', 'The first');
  write('data/patterns/p_7/system.md', `# changed\n${text}`);
  git('commit', '-q', '-am', 'Two');
  git('clone', '-q', '--bare', '.', join(folder, 'library.git'));
  execFileSync('git', ['repack', '-q', '-a', '-d', '-f'], { cwd: join(folder, 'library.git'), env: environment });

  const backend = await startBackend();
  const { library, alpha, stop } = await libraryForTests();
  try {
    const url = `${backend.url}/library.git`;
    const report = await library.importGit(alpha(), { url });
    assert.equal(report.source.commit, git('rev-parse', 'HEAD'));
    assert.equal(report.patterns.length, 300);
    const { source, files } = await library.readVersion(alpha(), { pattern: 'p_7', version: 1 });
    assert.equal(source.blob, git('rev-parse', 'HEAD:data/patterns/p_7/system.md'));
    assert.equal(files[0]?.content, `# changed\n${text}`);
    const tagged = await library.importGit(alpha(), { url, ref: 'v1', dry_run: true });
    assert.equal(tagged.source.commit, git('rev-parse', 'v1^{commit}'));
    assert.deepEqual(
      tagged.patterns.filter(({ outcome }) => outcome !== 'same').map(({ name }) => name),
      ['p_7'],
    );
    await assert.rejects(library.importGit(alpha(), { url: `${backend.url}/other.git` }), {
      code: 'invalid_repository',
      message: /answered 404/,
    });
    context.diagnostic(`${report.patterns.length} patterns`);
  } finally {
    backend.stop();
    await stop();
  }
});
