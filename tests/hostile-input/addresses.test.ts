import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { pathParameters } from '@damask/contracts/operation.ts';
import { sampleInput, takesBody, titleOf, toRequest } from '../sample-input.ts';
import { faultOfRefusal, type HostilePlatform, rawRequest, startHostilePlatform } from './hostile-platform.ts';
import { exchange } from './raw-connection.ts';

let hostile: HostilePlatform;
before(async () => {
  hostile = await startHostilePlatform();
});
after(() => hostile.stop());

/** Segments that name nothing anywhere, as they go over the wire. */
const hostileSegments = [
  ...['..', '.', '...', '%2e%2e', '%2E%2E%2f%2E%2E', '..%2f..', '%2f', 'a%2fb', '%2fetc%2fpasswd', 'a%5cb', '..\\..'],
  ...['\\', '%5c%5cserver', '%00', 'a%00', '%00a', 'plain%00', 'plain%20', '%20plain', 'plain%0a', 'plain%0d%0a'],
  ...['%', '%z', '%zz', '%2', 'a%', '%u0041', '%ff', '%c0%af', '%c0%80', '%e0%80%af', '%ed%a0%80', '%f8%88%80%80%80'],
  ...['%c3%a9', '%e2%80%8b', '%f3%a0%81%81', '%ef%bb%bfplain', 'Plain', 'plain.', 'plain;v=1', 'pl*in', 'plain,plain'],
  ...[
    "plain'--",
    'plain"',
    '$where',
    '{pattern}',
    '%7b%7binput%7d%7d',
    '-1',
    '_proto_',
    '__proto__',

    '+1',
    '%2b1',
  ],
  ...['a'.repeat(101), 'a'.repeat(5_000), '%61'.repeat(2_000), '00000000-0000-0000-0000-00000000000G'],
];

test('no segment of an address is read as a path, a pattern or code', async (t) => {
  let asked = 0;
  await hostile.leavesNothing(async () => {
    const wrong: string[] = [];
    for (const operation of hostile.operations) {
      for (const parameter of pathParameters(operation.path)) {
        for (const segment of hostileSegments) {
          const { path, body } = hostile.request(operation, { [parameter]: 'PLACE' });
          const reply = await hostile.send(operation.method, path.replace('PLACE', segment), { body });
          asked += 1;
          const fault = faultOfRefusal(reply, { status: 400, code: 'invalid_request', pointer: `/${parameter}` });
          if (fault) wrong.push(`${titleOf(operation)} with ${segment.slice(0, 40)} as ${parameter}: ${fault}`);
        }
      }
    }
    assert.deepEqual(wrong, []);
  });
  t.diagnostic(`${asked} cases`);
});

test('names that every object has are just unknown names', async () => {
  await hostile.leavesNothing(async () => {
    for (const name of ['constructor', 'tostring', 'hasownproperty', 'valueof', 'prototype', 'then', 'null', '0']) {
      for (const [method, path] of [
        ['GET', `/v1/patterns/${name}`],
        ['GET', `/v1/patterns/${name}/versions`],
        ['DELETE', `/v1/patterns/plain/labels/${name}`],
        ['GET', `/v1/strategies/${name}`],
        ['GET', `/v1/contexts/${name}`],
        ['DELETE', `/v1/sessions/${name}`],
        ['DELETE', `/v1/providers/${name}`],
      ] as const) {
        const reply = await hostile.send(method, path);
        assert.equal(`${reply.status} ${reply.body.code}`, '404 not_found', `${method} ${path}`);
      }
      const body = { pattern: 'plain', input: 'x', label: name };
      assert.equal((await hostile.send('POST', '/v1/render', { body })).status, 404, name);
      const strategy = { pattern: 'plain', input: 'x', strategy: name };
      assert.equal((await hostile.send('POST', '/v1/render', { body: strategy })).status, 404, name);
    }
  });
});

const strayAddresses = [
  ...['//', '/v1', '/v1/', '//v1/me', '/v1//me', '/v1/me/', '/v1/./me', '/v1/patterns/../me', '/V1/me', '/v1/Me'],
  ...['/v1/me%20', '/v1%2fme', '/v1/patterns/', '/v1/patterns//versions', '/v1/patterns/plain/versions/1/2', '/v2/me'],
  ...['/internal/instance', '/metrics', '/admin', '/.env', '/.git/config', '/v1/me;a=b', '/v1/me#top', '/favicon.ico'],
  ...['/v1/patterns/plain/versions/1/..', '/rpc/identity/readInstance', '/v1/__proto__', '/constructor', '*'],
];

test('an address that is none is not found, however near it comes', async () => {
  await hostile.leavesNothing(async () => {
    for (const address of strayAddresses) {
      const { replies } = await exchange(hostile.url, rawRequest(hostile, `GET ${address}`, ['Connection: close']));
      assert.equal(`${replies[0]?.status} ${replies[0]?.body.code}`, '404 not_found', address);
    }
  });
});

test('an address with its host in front is the same address', async () => {
  for (const [target, status] of [
    [`${hostile.url}/v1/me`, 200],
    ['http://somewhere.example/v1/me', 200],
    ['HTTP://somewhere.example/v1/patterns?limit=1', 200],
    ['http://somewhere.example/v1/nothing', 404],
    ['http://somewhere.example', 200],
    ['http://somewhere.example//', 404],
    ['ftp://somewhere.example/v1/me', 404],
  ] as const) {
    const { replies } = await exchange(hostile.url, rawRequest(hostile, `GET ${target}`, ['Connection: close']));
    assert.equal(replies[0]?.status, status, target);
  }
});

test('every method that an address does not take gets 405 with the ones that it takes', async (t) => {
  const methods = [
    ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'MKCOL', 'COPY', 'LOCK'],
    ...['PURGE', 'SEARCH', 'REPORT', 'QUERY'],
  ];
  let asked = 0;
  await hostile.leavesNothing(async () => {
    for (const path of new Set(hostile.operations.map((operation) => operation.path))) {
      const here = hostile.operations.filter((operation) => operation.path === path);
      const taken = here.map((operation) => operation.method as string);
      if (here.some((operation) => operation.method === 'GET' && !operation.alwaysStreams)) taken.push('HEAD');
      const address = hostile.request(here[0] as (typeof here)[0]).path;
      for (const method of methods.filter((name) => !taken.includes(name))) {
        const line = `${method} ${address.split('?')[0]}`;
        const { replies } = await exchange(hostile.url, rawRequest(hostile, line, ['Connection: close']), { count: 1 });
        asked += 1;
        assert.equal(replies[0]?.status, 405, line);
        assert.deepEqual(replies[0]?.headers.allow?.split(', ').sort(), taken.sort(), line);
      }
    }
  });
  t.diagnostic(`${asked} cases`);
});

test('a method in a header does not change what a request does', async () => {
  await hostile.leavesNothing(async () => {
    for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
      const reply = await hostile.send('GET', '/v1/strategies/calm', { headers: [[name, 'DELETE']] });
      assert.equal(reply.status, 200, name);
      assert.equal(reply.body.prompt, 'Be calm.');
    }
  });
});

test('the fields of a query are read strictly', async () => {
  const many = Array.from({ length: 101 }, (_, i) => `f${i}=1`).join('&');
  const queries: readonly (readonly [query: string, pointer: string])[] = [
    ['limit=1&limit=2', '/limit'],
    ['limit=1&limit=1', '/limit'],
    ['search=%00', '/search'],
    ['search=%ed%a0%80', '/search'],
    ['search=%ff', '/search'],
    ['search=%zz', '/search'],
    ['%zz=1', ''],
    ['a%00b=1', ''],
    ['__proto__=1', '/__proto__'],
    ['constructor=1', '/constructor'],
    ['a/b~c=1', '/a~1b~0c'],
    ['search', '/search'],
    ['search=', '/search'],
    [`search=${'a'.repeat(201)}`, '/search'],
    ['tag=', '/tag'],
    ['deleted=yes', '/deleted'],
    ['deleted=1', '/deleted'],
    ['deleted=TRUE', '/deleted'],
    ['=1', '/'],
    [many, ''],
  ];
  await hostile.leavesNothing(async () => {
    for (const [query, pointer] of queries) {
      const reply = await hostile.send('GET', `/v1/patterns?${query}`);
      assert.equal(faultOfRefusal(reply, { status: 400, code: 'invalid_request', pointer }), undefined, query);
    }
  });
});

test('metacharacters of SQL and patterns in a search are only characters', async () => {
  await hostile.leavesNothing(async () => {
    for (const search of [
      "'; drop table x; --",
      '%',
      '_%',
      '%_%',
      '\\',
      '*',
      '.*',
      '^p',
      'a'.repeat(200),
      '%25'.repeat(60),
    ]) {
      const reply = await hostile.send('GET', `/v1/patterns?search=${encodeURIComponent(search)}`);
      assert.equal(reply.status, 200, search);
      assert.deepEqual(reply.body.items, [], search);
    }
  });
});

test('what has no body takes none, and what has one takes no query', async () => {
  await hostile.leavesNothing(async () => {
    for (const operation of hostile.operations.filter(({ bodyTypes }) => bodyTypes === undefined)) {
      const { path, body } = toRequest(operation, sampleInput(operation, hostile.validInput(operation)));
      const reply = takesBody(operation)
        ? await hostile.send(operation.method, `${path}?limit=1`, { body })
        : await hostile.send(operation.method, path, { body: {} });
      const fault = faultOfRefusal(reply, { status: 400, code: 'invalid_request', pointer: '' });
      assert.equal(fault, undefined, titleOf(operation));
    }
  });
});
