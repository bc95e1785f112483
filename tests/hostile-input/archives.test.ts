import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { makeTar, makeZip } from '../../server/src/services/pattern/transfer/archives-for-tests.ts';
import { RawBody } from '../http-client.ts';
import { faultOfRefusal, type HostilePlatform, startHostilePlatform } from './hostile-platform.ts';

let hostile: HostilePlatform;
before(async () => {
  hostile = await startHostilePlatform();
});
after(() => hostile.stop());

const good = { name: 'patterns/good/system.md', content: 'Be good.' };
const path = '/v1/imports/archive';
const post = (bytes: Buffer, query = '', type = 'application/zip') =>
  hostile.send('POST', `${path}${query}`, { body: new RawBody(type, bytes) });

test('a hostile archive is refused as a whole, with a code and without a trace', async () => {
  const archives: Record<string, [Buffer, 'invalid_archive' | 'invalid_tree']> = {
    'a path that leaves': [makeZip([good, { name: '../../etc/cron.d/x', content: 'x' }]), 'invalid_archive'],
    'an absolute path': [makeTar([good, { name: '/etc/passwd', content: 'x' }]), 'invalid_archive'],
    'a drive': [makeZip([good, { name: 'C:\\x', content: 'x' }]), 'invalid_archive'],
    'a link': [makeZip([good, { name: 'patterns/good/l', content: '/etc', mode: 0o120777 }]), 'invalid_archive'],
    'a hard link': [makeTar([good, { name: 'patterns/good/l', type: '1' }]), 'invalid_archive'],
    'a device': [makeTar([good, { name: 'patterns/good/d', type: '3' }]), 'invalid_archive'],
    'a lying size': [makeZip([{ ...good, lie: { size: 2 } }]), 'invalid_archive'],
    'twins in capitals': [makeZip([good, { ...good, name: 'patterns/GOOD/system.md' }]), 'invalid_tree'],
    'twins of one name': [makeTar([good, good]), 'invalid_tree'],
    'twins in Unicode': [
      makeZip([
        { name: 'patterns/a/\u00e9.md', content: 'x' },
        { name: 'patterns/a/e\u0301.md', content: 'x' },
      ]),
      'invalid_tree',
    ],
    'a long name': [makeZip([{ name: `patterns/a/${'x'.repeat(300)}.md`, content: 'x' }]), 'invalid_tree'],
    'a name of four bytes': [makeZip([{ name: 'patterns/\u{1f600}/system.md', content: 'x' }]), 'invalid_tree'],
    'a bomb': [gzipSync(Buffer.alloc(20 * 1024 * 1024)), 'invalid_archive'],
    garbage: [Buffer.alloc(5_000, 'no archive '), 'invalid_archive'],
    'another encoding': [makeZip([{ ...good, content: Buffer.from('Grüße', 'latin1') }]), 'invalid_tree'],
  };
  await hostile.leavesNothing(async () => {
    for (const [name, [bytes, code]] of Object.entries(archives)) {
      assert.equal(faultOfRefusal(await post(bytes), { status: 422, code }), undefined, name);
    }
  });
});

test('what is sent beside an archive, or instead of one, is refused', async () => {
  const zip = makeZip([good]);
  await hostile.leavesNothing(async () => {
    const cases: [Awaited<ReturnType<typeof post>>, number, string][] = [
      [await post(zip, '', 'application/json'), 415, 'unsupported_media_type'],
      [await post(zip, '', 'text/plain'), 415, 'unsupported_media_type'],
      [await post(Buffer.alloc(0)), 400, 'invalid_request'],
      [await post(zip, '?unknown=1'), 400, 'invalid_request'],
      [await post(zip, '?on_conflict=destroy'), 400, 'invalid_request'],
      [await post(zip, '?dry_run=perhaps'), 400, 'invalid_request'],
      [await post(zip, '?path=../..'), 422, 'invalid_tree'],
      [
        await hostile.send('POST', path, {
          body: new RawBody('application/zip', zip),
          headers: [['content-encoding', 'gzip']],
        }),
        415,
        'unsupported_media_type',
      ],
      [await hostile.send('POST', path, { body: { files: [] } }), 415, 'unsupported_media_type'],
      [
        await hostile.send('POST', '/v1/imports', { body: new RawBody('application/zip', zip) }),
        415,
        'unsupported_media_type',
      ],
    ];
    for (const [index, [reply, status, code]] of cases.entries()) {
      assert.deepEqual([reply.status, reply.body?.code], [status, code], `case ${index}`);
    }
  });
});
