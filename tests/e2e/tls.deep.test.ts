import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect } from 'node:tls';
import { systemClock } from '../../server/src/platform/clock.ts';
import { runMain, startServer } from '../../server/src/testing/main-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'damask-https-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function makePair(name: string) {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];
  execFileSync('openssl', ['req', ...kind, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
  return { cert, key };
}

test('the server speaks HTTPS with the files of its settings and takes new ones while it runs', async () => {
  const [first, second] = [makePair('first'), makePair('second')];
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  copyFileSync(first.cert, files.cert);
  copyFileSync(first.key, files.key);
  const home = mkdtempSync(join(folder, 'home-'));
  const environment = { HOME: home, DAMASK_TLS_CERTIFICATE: files.cert, DAMASK_TLS_KEY: files.key };

  const half = await runMain(['serve'], { HOME: home, DAMASK_PORT: '0', DAMASK_TLS_KEY: files.key });
  assert.notEqual(half.code, 0);
  assert.match(half.out, /belong together/);

  const server = await startServer(environment);
  try {
    assert.match(server.url, /^https:\/\/127\.0\.0\.1:\d+$/);
    const nameServed = async () => {
      const ca = [first, second].map(({ cert }) => readFileSync(cert));
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(server.url).port), ca });
      await once(socket, 'secureConnect');
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      return CN;
    };
    assert.equal(await nameServed(), 'first');
    copyFileSync(second.cert, files.cert);
    copyFileSync(second.key, files.key);
    for (let look = 0; look < 100 && (await nameServed()) === 'first'; look++) await systemClock.sleep(200);
    assert.equal(await nameServed(), 'second');
  } finally {
    server.child.kill('SIGTERM');
    assert.equal((await server.child.exited).code, 0);
  }
});
