import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { bodyLimit, type Operation } from '@damask/contracts/operation.ts';
import { takesBody, titleOf } from '../sample-input.ts';
import { faultOfRefusal, type HostilePlatform, rawRequest, startHostilePlatform } from './hostile-platform.ts';
import { exchange } from './raw-connection.ts';

let hostile: HostilePlatform;
before(async () => {
  hostile = await startHostilePlatform();
});
after(() => hostile.stop());

const withBody = () => hostile.operations.filter(takesBody);
const limitOf = (operation: Operation) => operation.bodyLimit ?? bodyLimit;

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
const nested = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth);
const manyKeys = (count: number) => `{${Array.from({ length: count }, (_, i) => `"k${i}":0`).join(',')}}`;

/** Bodies that are refused as JSON, before anything is looked up. A pointer is given where it is always the same. */
const brokenJson: readonly (readonly [name: string, body: string | Buffer, pointer?: string])[] = [
  ['no JSON', 'hello', ''],
  ['an array', '[]', ''],
  ['a string', '"x"', ''],
  ['a number', '1', ''],
  ['null', 'null', ''],
  ['true', 'true', ''],
  ['white space', ' \n\t ', ''],
  ['a form', 'name=x&system=y', ''],
  ['XML', '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>', ''],
  ['YAML', 'name: x', ''],
  ['an open object', '{', ''],
  ['an open string', '{"a', ''],
  ['a missing value', '{"a":}', '/a'],
  ['a missing colon', '{"a" 1}', '/a'],
  ['a comma at the end', '{"a":1,}', ''],
  ['two commas', '{"a":1,,"b":2}', ''],
  ['a comment', '{/* x */"a":1}', ''],
  ['single quotes', "{'a':1}", ''],
  ['a key without quotes', '{a:1}', ''],
  ['two values', '{}{}', ''],
  ['something behind it', '{} x', ''],
  ['NaN', '{"a":NaN}', '/a'],
  ['Infinity', '{"a":-Infinity}', '/a'],
  ['undefined', '{"a":undefined}', '/a'],
  ['hexadecimal', '{"a":0x10}', '/a'],
  ['a leading zero', '{"a":01}', '/a'],
  ['a leading plus', '{"a":+1}', '/a'],
  ['a number beyond a double', '{"a":1e400}', '/a'],
  ['one below it', '{"a":[0,-1e999]}', '/a/1'],
  ['a huge exponent', `{"a":1e${'9'.repeat(400)}}`, '/a'],
  ['an escape that does not exist', '{"a":"\\x41"}', '/a'],
  ['half an escape', '{"a":"\\u12"}', '/a'],
  ['a raw line break in a string', '{"a":"x\ny"}', '/a'],
  ['a raw tab in a string', '{"a":"x\ty"}', '/a'],
  ['a raw NUL in a string', '{"a":"x\0y"}', '/a'],
  ['a raw NUL between values', '{\0"a":1}', ''],
  ['a raw NUL in a key', '{"a\0":1}', ''],
  ['an escaped NUL', '{"a":"x\\u0000y"}', '/a'],
  ['an escaped NUL in a key', '{"a\\u0000b":1}', ''],
  ['an escaped high surrogate', '{"a":"\\ud800"}', '/a'],
  ['an escaped low surrogate', '{"a":"\\udc00x"}', '/a'],
  ['surrogates the wrong way round', '{"a":"\\udc00\\ud800"}', '/a'],
  ['a lone surrogate in a key', '{"\\ud800":1}', ''],
  ['a raw surrogate', bytes('{"a":"', [0xed, 0xa0, 0x80], '"}'), ''],
  ['a raw pair of surrogates', bytes('{"a":"', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80], '"}'), ''],
  ['bytes that are no UTF-8', bytes('{"a":"', [0xff, 0xfe], '"}'), ''],
  ['Latin-1', bytes('{"a":"', [0xe9], '"}'), ''],
  ['an overlong NUL', bytes('{"a":"', [0xc0, 0x80], '"}'), ''],
  ['an overlong slash', bytes('{"a":"', [0xe0, 0x80, 0xaf], '"}'), ''],
  ['a code point beyond Unicode', bytes('{"a":"', [0xf4, 0x90, 0x80, 0x80], '"}'), ''],
  ['half a character at the end', bytes('{"a":"', [0xe2, 0x82]), ''],
  ['a byte order mark', bytes([0xef, 0xbb, 0xbf], '{}'), ''],
  ['UTF-16, little end first', Buffer.from('\ufeff{}', 'utf16le'), ''],
  ['UTF-16, big end first', Buffer.from('\ufeff{}', 'utf16le').swap16(), ''],
  ['UTF-16 without a mark', Buffer.from('{"a":1}', 'utf16le'), ''],
  ['a key twice', '{"a":1,"a":1}', '/a'],
  ['a key twice with other values between', '{"a":1,"b":{"c":2},"a":null}', '/a'],
  ['a key twice inside', '{"x":[{"b":1,"b":2}]}', '/x/0/b'],
  ['a key twice, once as escapes', '{"name":1,"\\u006eame":2}', '/name'],
  ['the key __proto__', '{"__proto__":{"polluted":true}}', '/__proto__'],
  ['the key __proto__ as escapes', '{"\\u005f_proto__":{"polluted":true}}', '/__proto__'],
  ['the key __proto__ inside', '{"a":{"__proto__":null}}', '/a/__proto__'],
  ['33 levels of objects', `${'{"a":'.repeat(32)}{}${'}'.repeat(32)}`, '/a'.repeat(32)],
  ['33 levels of arrays', `{"a":${nested(32, '[', ']')}}`, `/a${'/0'.repeat(31)}`],
  ['100,000 levels of arrays', `{"a":${nested(100_000, '[', ']')}}`],
  ['200,000 levels of arrays without an end', '['.repeat(200_000)],
  ['40,000 levels of objects', `${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}`],
  ['10,001 keys', manyKeys(10_001), '/k10000'],
  ['250,001 values', `{"a":[${'0,'.repeat(249_998)}0]}`, '/a/249998'],
];

test('no body that is not one strict JSON object is taken by any operation', async (t) => {
  let asked = 0;
  await hostile.leavesNothing(async () => {
    const wrong: string[] = [];
    for (const operation of withBody()) {
      const { path } = hostile.request(operation);
      for (const [name, body, pointer] of brokenJson) {
        const reply = await hostile.send(operation.method, path, { body });
        asked += 1;
        const expected = { status: 400, code: 'invalid_request', ...(pointer === undefined ? {} : { pointer }) };
        const fault = faultOfRefusal(reply, expected);
        if (fault) wrong.push(`${titleOf(operation)} with ${name}: ${fault}`);
      }
    }
    assert.deepEqual(wrong, []);
  });
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  t.diagnostic(`${asked} cases`);
});

test('a large body is judged by the same rules as a small one', async (t) => {
  const padding = Buffer.from(' '.repeat(300 * 1024));
  const operation = withBody().find(({ path, method }) => path === '/v1/render' && method === 'POST') as Operation;
  await hostile.leavesNothing(async () => {
    const wrong: string[] = [];
    for (const [name, body, pointer] of brokenJson) {
      const text = typeof body === 'string' ? Buffer.from(body) : body;
      const reply = await hostile.send('POST', operation.path, { body: Buffer.concat([text, padding]) });
      const expected = { status: 400, code: 'invalid_request', ...(pointer === undefined ? {} : { pointer }) };
      const fault = faultOfRefusal(reply, expected);
      if (fault) wrong.push(`${name}: ${fault}`);
    }
    assert.deepEqual(wrong, []);
  });
  t.diagnostic(`${brokenJson.length} cases`);
});

test('what is within the limits of JSON is taken', async () => {
  const taken: readonly string[] = [
    '{"pattern":"plain","input":"\\ud83d\\ude00 \\u00e9 \\\\u0000 \\u2028"}',
    '{"pattern":"plain","input":"x","parameters":{"temperature":-0}}',
    '{"pattern":"plain","input":"x","version":1.0}',
    '{"pattern":"plain","input":"x","version":1e0}',
    ' {\r\n\t"pattern" : "plain" , "input" : "x" } ',
  ];
  for (const body of taken) {
    const reply = await hostile.send('POST', '/v1/render', { body });
    assert.equal(reply.status, 200, `${body}: ${reply.text}`);
  }
  const deep = `{"pattern":"plain","input":"x","a":${nested(31, '[', ']')}}`;
  const reply = await hostile.send('POST', '/v1/render', { body: deep });
  assert.equal(reply.body.pointer, '/a', '32 levels are read; only the field is unknown');
});

test('a body one byte over the limit is too large, declared or in chunks, and one at the limit is not', async (t) => {
  let asked = 0;
  await hostile.leavesNothing(async () => {
    for (const operation of withBody()) {
      const { path } = hostile.request(operation);
      const limit = limitOf(operation);
      // An unknown field, so that what fits is refused for another reason.
      const body = Buffer.alloc(limit + 1, ' ');
      body.write('{"unknown":1}');
      const over = await hostile.send(operation.method, path, { body });
      assert.equal(faultOfRefusal(over, { status: 413, code: 'too_large' }), undefined, titleOf(operation));
      const fits = await hostile.send(operation.method, path, { body: body.subarray(0, limit) });
      assert.equal(`${fits.status} ${fits.body.pointer}`, '400 /unknown', titleOf(operation));
      const head = rawRequest(hostile, `${operation.method} ${path}`, ['Transfer-Encoding: chunked']);
      const chunk = `${(limit + 1).toString(16)}\r\n${body.toString('latin1')}\r\n0\r\n\r\n`;
      const { replies } = await exchange(hostile.url, head + chunk, { count: 1 });
      assert.equal(replies[0]?.status, 413, `${titleOf(operation)} in chunks`);
      asked += 3;
    }
  });
  t.diagnostic(`${asked} cases`);
});

const otherTypes = [
  ...['text/plain', 'text/plain; charset=utf-8', 'text/json', 'application/x-www-form-urlencoded', 'application/xml'],
  ...['multipart/form-data; boundary=x', 'application/jsonp', 'application/json-seq', 'application/ld+json', '*/*'],
  ...['application/json; charset=utf-16', 'application/json; charset=latin1', 'application/json, text/html', ''],
  ...['application/json;charset=utf-8;charset=utf-16', 'application/json x', 'json', 'application/octet-stream'],
];

test('a body of another content type, or of none, is not looked at', async (t) => {
  let asked = 0;
  await hostile.leavesNothing(async () => {
    const wrong: string[] = [];
    for (const operation of withBody()) {
      const { path, body } = hostile.request(operation);
      const text = JSON.stringify(body);
      for (const type of [...otherTypes, undefined]) {
        const header = type === undefined ? [] : [`Content-Type: ${type}`];
        const people = hostile.peopleFor(operation.method, path)?.map(([name, value]) => `${name}: ${value}`);
        const who = people ?? [`Authorization: Bearer ${hostile.key}`];
        const lines = [...who, 'Host: x', `Content-Length: ${text.length}`, ...header];
        const head = `${operation.method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
        const { replies } = await exchange(hostile.url, head + text, { count: 1 });
        asked += 1;
        const [reply = { status: 0, body: undefined }] = replies;
        const fault = faultOfRefusal(reply, { status: 415, code: 'unsupported_media_type' });
        if (fault) wrong.push(`${titleOf(operation)} as ${type}: ${fault}`);
      }
    }
    assert.deepEqual(wrong, []);
  });
  t.diagnostic(`${asked} cases`);
});

test('a compressed body is not unpacked, whatever it would become', async () => {
  const bomb = Buffer.alloc(64 * 1024 * 1024, ' ');
  const packed: Record<string, Buffer> = {
    gzip: gzipSync(bomb),
    deflate: deflateSync(bomb),
    br: brotliCompressSync(bomb.subarray(0, 4 * 1024 * 1024)),
    zstd: zstdCompressSync(bomb),
    'gzip, gzip': gzipSync(gzipSync(bomb)),
    identity: Buffer.from('{"pattern":"plain","input":"x"}'),
    unknown: Buffer.from('{"pattern":"plain","input":"x"}'),
  };
  await hostile.leavesNothing(async () => {
    for (const [encoding, body] of Object.entries(packed)) {
      const reply = await hostile.send('POST', '/v1/runs', { body, headers: [['Content-Encoding', encoding]] });
      const fault = faultOfRefusal(reply, { status: 415, code: 'unsupported_media_type' });
      assert.equal(fault, undefined, encoding);
    }
  });
});
