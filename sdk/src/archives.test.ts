import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendJson, sendProblem, startScriptedServer } from '../test/scripted-server.ts';
import { createDamask } from './index.ts';

test('an archive goes out as bytes with its fields in the query, and comes back as bytes', async () => {
  await using server = await startScriptedServer(({ method }, response) => {
    if (method === 'POST') return sendJson(response, 200, { committed: true });
    response.writeHead(200, { 'content-type': 'application/zip' });
    response.write(Buffer.from([0x50, 0x4b, 0xff]));
    return response.end(Buffer.from([0, 1]));
  });
  const damask = createDamask({ url: server.url });
  const bytes = new Uint8Array([0x1f, 0x8b, 0x61]);
  await damask.imports.archive(bytes, { origin: 'Grüße & more.tgz', dry_run: true });
  const [sent] = server.seen;
  assert.equal(sent?.headers['content-type'], 'application/gzip');
  assert.equal(sent?.headers['content-length'], '3');
  const query = new URL(sent?.url ?? '', server.url).searchParams;
  assert.deepEqual(Object.fromEntries(query), { origin: 'Grüße & more.tgz', dry_run: 'true' });
  assert.deepEqual(await damask.exports.archive(), new Uint8Array([0x50, 0x4b, 0xff, 0, 1]));
  await damask.exports.archive({ format: 'tar', pattern: ['a', 'b'] });
  assert.match(server.seen.at(-1)?.url ?? '', /\?format=tar&pattern=a&pattern=b$/);
});

test('an archive that is refused or breaks off is an error, never half of it', async () => {
  await using server = await startScriptedServer((_, response) => sendProblem(response, 404, 'not_found'));
  const damask = createDamask({ url: server.url });
  await assert.rejects(damask.exports.archive({ pattern: ['x'] }), { code: 'not_found' });
  server.script((_, response) => {
    response.writeHead(200, { 'content-type': 'application/zip' });
    response.write('half');
    setTimeout(() => response.destroy(), 20);
  });
  await assert.rejects(damask.exports.archive(), { code: 'truncated' });
});
