import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcp } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { serviceOperations } from '@damask/contracts/services.ts';
import type { Resolved } from '../../server/src/platform/egress/egress.ts';
import { type Reply, startTestPlatform, type TestPlatform } from '../../server/src/testing/test-platform.ts';
import { internalAddresses, internalHosts } from './address-forms.ts';

/** Each input that holds an address which the server then calls, by operation and field. */
interface Surface {
  readonly surface: string;
  readonly operation: string;
  readonly pointer: string;
  enter(url: string, more?: object): Promise<Reply>;
}

const surfaces: readonly Surface[] = [
  {
    surface: 'provider',
    operation: 'putProvider',
    pointer: '/base_url',
    enter: (url, more) => platform.call('PUT', '/v1/providers/entered', { base_url: url, ...more }),
  },
  {
    surface: 'identity_provider',
    operation: 'putIdentityProvider',
    pointer: '/issuer',
    enter: (url, more) =>
      platform.call('PUT', '/v1/identity-providers/entered', { issuer: url, client_id: 'damask', ...more }),
  },
  {
    surface: 'import',
    operation: 'importGit',
    pointer: '/url',
    enter: (url, more) => platform.call('POST', '/v1/imports/git', { url, ...more }),
  },
];
/** Fields whose names look like an address although the server never calls what they hold. */
const neverCalled = [...['checkEgress /url', 'importTree /origin', 'importArchive /origin', 'signInWithLink /link']];

let platform: TestPlatform;
/** Whoever connects to this machine on that port, by IPv4 or IPv6. */
let sunk = 0;
const sink = createTcp((socket) => {
  sunk += 1;
  socket.destroy();
});
/** Servers that may be called, each for one surface. */
const seen: IncomingMessage[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const servers = ['127.0.0.11', '127.0.0.12', '127.0.0.13'].map((host) => ({
  host,
  server: createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  }),
}));
let origins: string[] = [];
const names = new Map<string, () => readonly string[]>();

before(async () => {
  sink.listen({ port: 0, host: '::' });
  await once(sink, 'listening');
  for (const { server, host } of servers) {
    server.listen(0, host);
    await once(server, 'listening');
  }
  const hosts = servers.map(({ server, host }) => `${host}:${(server.address() as AddressInfo).port}`);
  origins = hosts.map((host) => `http://${host}`);
  platform = await startTestPlatform({
    environment: {
      DAMASK_EGRESS_ALLOW_PROVIDERS: hosts[0] as string,
      DAMASK_EGRESS_ALLOW_IDENTITY_PROVIDERS: hosts[1] as string,
      DAMASK_EGRESS_ALLOW_IMPORTS: '127.0.0.13/32',
      DAMASK_PUBLIC_URL: 'http://127.0.0.1:7440',
    },
    lookup: async (host) => (names.get(host)?.() ?? []).map(resolved),
  });
});
beforeEach(() => {
  seen.length = 0;
  sunk = 0;
  answer = (_, response) => response.end();
});
after(async () => {
  await platform.stop();
  sink.close();
  for (const { server } of servers) {
    server.close();
    server.closeAllConnections();
  }
});

const resolved = (address: string): Resolved => ({ address, family: address.includes(':') ? 6 : 4 });
const sinkPort = () => (sink.address() as AddressInfo).port;

function assertDenied(reply: Reply, pointer: string, what: string) {
  const { status, body } = reply;
  assert.deepEqual([status, body.code, body.pointer], [422, 'egress_denied', pointer], `${what}: ${body.detail}`);
}

/** What a call to an address that was saved comes to: a run, a sign-in or an import. */
async function call(surface: string, url: string): Promise<string> {
  const of = surfaces.find((one) => one.surface === surface) as Surface;
  const entered = await of.enter(url, surface === 'provider' ? { models: [{ id: 'x' }] } : {});
  if (surface === 'import') return entered.body.code;
  assert.equal(entered.status, 200, entered.text);
  if (surface === 'provider') {
    const { body } = await platform.call('POST', '/v1/providers/entered/test', {});
    return body.error.code;
  }
  const begun = await platform.call('GET', new URL(entered.body.login_url).pathname, undefined, { key: null });
  return begun.body.code;
}

test('each field that holds an address to call is among the surfaces of these attacks', () => {
  const found = Object.values(serviceOperations).flatMap((operations) =>
    Object.entries(operations as Record<string, { permission: string; input: { properties: object } }>)
      .filter(([, { permission }]) => permission !== 'internal')
      .flatMap(([name, { input }]) =>
        Object.keys(input.properties)
          .filter((field) => /(^|_)(url|uri|issuer|endpoint|hook|host|origin|link|address|location)$/.test(field))
          .map((field) => `${name} /${field}`),
      ),
  );
  const known = [...surfaces.map(({ operation, pointer }) => `${operation} ${pointer}`), ...neverCalled];
  const passkeys = (one: string) => / \/origin$/.test(one) && /Passkey/.test(one);
  assert.deepEqual(found.filter((one) => !passkeys(one)).sort(), known.sort());
});

test('U-1: no spelling of an internal address is taken by any surface, and none is called', async (t) => {
  for (const { surface, pointer, enter } of surfaces) {
    for (const host of internalHosts) {
      const url = `https://${host}:${sinkPort()}/x.git`;
      assertDenied(await enter(url), pointer, `${surface} ${host}`);
      const { body } = await platform.call('POST', '/v1/egress/check', { url, surface });
      assert.equal(body.verdict, 'denied', `${surface} ${host}`);
    }
  }
  for (const host of internalHosts) {
    const reply = await surfaces[0]?.enter(`http://${host}:${sinkPort()}/v1`, { api_key: 'sk-of-the-attack' });
    assertDenied(reply as Reply, '/base_url', host);
  }
  assert.equal(sunk, 0);
  t.diagnostic(`${surfaces.length * internalHosts.length * 2 + internalHosts.length} cases`);
});

test('U-2: a name that leads to an internal address, or to one beside a public one, is not connected to', async () => {
  let address = '';
  names.set('inside.test', () => [address]);
  names.set('both.test', () => ['93.184.216.34', address]);
  names.set('both6.test', () => ['2606:4700::1111', address]);
  for (address of internalAddresses) {
    for (const name of ['inside.test', 'both.test', 'both6.test']) {
      const url = `https://${name}:${sinkPort()}/x`;
      for (const { surface } of surfaces) {
        const { body } = await platform.call('POST', '/v1/egress/check', { url, surface });
        assert.equal(body.verdict, 'denied', `${surface} ${name} ${address}`);
      }
      assert.equal(await call('provider', url), 'egress_denied', `${name} ${address}`);
      assert.equal(await call('import', url), 'egress_denied', `${name} ${address}`);
    }
  }
  // What a provider of identities was answered is kept for a moment, so each has a name of its own.
  for (const [index, one] of internalAddresses.entries()) {
    names.set(`idp${index}.test`, () => ['93.184.216.34', one]);
    // Strangers begin sign-ins, so they are not told why.
    assert.equal(await call('identity_provider', `https://idp${index}.test:${sinkPort()}`), 'unavailable', one);
  }
  assert.equal(sunk, 0);
});

test('U-2: a name that is public when it is asked for and internal when it is called is judged again', async () => {
  for (const { surface } of surfaces) {
    const answers = [['93.184.216.34'], ['127.0.0.1']];
    let asked = 0;
    names.set(`${surface.replace('_', '-')}.rebinds.test`, () => answers[Math.min(asked++, 1)] as string[]);
    const url = `https://${surface.replace('_', '-')}.rebinds.test:${sinkPort()}/x`;
    const { body } = await platform.call('POST', '/v1/egress/check', { url, surface });
    assert.equal(body.verdict, 'allowed');
    assert.equal(await call(surface, url), surface === 'identity_provider' ? 'unavailable' : 'egress_denied', surface);
    assert.ok(asked > 1);
  }
  assert.equal(sunk, 0);
});

test('U-3: a redirect of a provider, or of one of identities, leads nowhere, and takes no key along', async () => {
  const [provider = '', identity = ''] = origins;
  for (const status of [301, 302, 303, 307, 308]) {
    for (const location of [
      `http://127.0.0.1:${sinkPort()}/`,
      'file:///etc/passwd',
      'gopher://x/',
      'data:,x',
      '//localhost/',
    ]) {
      answer = (_, response) => response.writeHead(status, { location }).end();
      await surfaces[0]?.enter(`${provider}/v1`, { api_key: 'sk-of-the-attack', models: [{ id: 'x' }] });
      const tested = await platform.call('POST', '/v1/providers/entered/test', {});
      assert.equal(tested.body.ok, false, `${status} ${location}`);
      const code = await call('identity_provider', `${identity}/${status}/${encodeURIComponent(location)}`);
      assert.equal(code, 'unavailable', `${status} ${location}`);
    }
  }
  assert.ok(seen.length >= 50);
  assert.equal(sunk, 0);
});

test('U-4: credentials in the address, ports of other protocols, other schemes and sockets are refused', async () => {
  const urls = [
    'http://user:pw@example.com',
    'https://user@example.com',
    'unix:/run/x.sock',
    'http+unix://%2Frun%2Fx/',
  ];
  urls.push('file:///etc/passwd', 'gopher://example.com', 'data:,x', 'ftp://example.com', 'ws://example.com');
  for (const port of [22, 25, 5432, 6379, 5672, 15672, 9200]) urls.push(`https://example.com:${port}`);
  for (const url of urls) {
    for (const { surface, pointer, enter } of surfaces) {
      const { status, body } = await enter(url);
      // What is no address of the web, or no issuer, may also be refused as that.
      const other = !url.startsWith('https:') && status === 400;
      const fits = (status === 422 && body.code === 'egress_denied') || other;
      assert.ok(fits && body.pointer === pointer, `${surface} ${url}: ${status} ${body.code} ${body.pointer}`);
      const told = await platform.call('POST', '/v1/egress/check', { url, surface });
      assert.equal(told.body.verdict, 'denied', `${surface} ${url}`);
    }
  }
});

test('U-5: a stored secret is not sent to another address by somebody who does not know it', async () => {
  const [provider = '', identity = ''] = origins;
  answer = (_, response) => response.end('{"data":[]}');
  const put = (body: object) => platform.call('PUT', '/v1/providers/bound', body);
  assert.equal((await put({ base_url: `${provider}/v1`, api_key: 'sk-of-the-attack' })).status, 200);
  const thief = provider.replace(/:\d+$/, `:${sinkPort()}`);
  seen.length = 0;
  for (const base_url of [
    `${provider}/v2`,
    `${provider.replace('http:', 'https:')}/v1`,
    `${thief}/v1`,
    'https://example.com',
  ]) {
    for (const more of [{}, { protocol: 'anthropic' }, { models: [] }, { limits: { concurrency: 1 } }]) {
      const { status, body } = await put({ base_url, ...more });
      const denied = base_url.startsWith(thief) && body.code === 'egress_denied';
      assert.ok(denied || (status === 422 && body.code === 'secret_required' && body.pointer === '/api_key'), base_url);
    }
  }
  assert.equal(seen.length + sunk, 0);
  const tied = (body: object) => platform.call('PUT', '/v1/identity-providers/bound', { client_id: 'damask', ...body });
  assert.equal((await tied({ issuer: identity, client_secret: 'secret-of-the-attack' })).status, 200);
  const moved = await tied({ issuer: `${identity}/other` });
  assert.deepEqual([moved.status, moved.body.code, moved.body.pointer], [422, 'secret_required', '/client_secret']);
  assert.equal((await tied({ issuer: `${identity}/other`, client_secret: 'entered-again' })).status, 200);
});

test('U-6: an empty list permits nothing internal, an entry exactly what it says, and no surface another one’s', async () => {
  const hosts = origins.map((origin) => new URL(origin).host);
  const permitted = async (surface: string, host: string) => {
    const { body } = await platform.call('POST', '/v1/egress/check', { url: `http://${host}/`, surface });
    return body.verdict === 'allowed';
  };
  for (const [index, { surface, enter, pointer }] of surfaces.entries()) {
    for (const [at, host] of hosts.entries()) {
      assert.equal(await permitted(surface, host), at === index, `${surface} ${host}`);
      if (at !== index) assertDenied(await enter(`https://${host}/x`), pointer, `${surface} ${host}`);
    }
  }
  assert.equal(await permitted('import', '127.0.0.13:8080'), true);
  assert.equal(await permitted('import', '127.0.0.14'), false);
  assert.equal(await permitted('provider', `127.0.0.11:${sinkPort()}`), false);
  const { body } = await platform.call('GET', '/v1/egress');
  assert.deepEqual(
    body.surfaces.map(({ surface, allow }: { surface: string; allow: string[] }) => [surface, allow[0]]),
    [
      ['provider', hosts[0]],
      ['identity_provider', hosts[1]],
      ['import', '127.0.0.13/32'],
    ],
  );
});

test('each operation that takes a secret to keep is among those of S-4', () => {
  const keeps = Object.values(serviceOperations).flatMap((operations) =>
    Object.entries(operations as Record<string, { method: string; input: { properties: object } }>)
      .filter(
        ([, { method, input }]) =>
          method === 'PUT' && /"\w*(secret|key|password|token)"/.test(JSON.stringify(Object.keys(input.properties))),
      )
      .map(([name]) => name),
  );
  assert.deepEqual(keeps.sort(), ['putIdentityProvider', 'putProvider']);
});

test('S-4: what is read of a provider and written back leaves its secret as it was', async () => {
  const [provider = '', identity = ''] = origins;
  answer = (_, response) => response.end('{"data":[]}');
  const roundTrip = async (path: string, made: object, list: string) => {
    assert.equal((await platform.call('PUT', path, made)).status, 200);
    const { items } = (await platform.call('GET', list)).body;
    const read = items.find(({ name }: { name: string }) => path.endsWith(`/${name}`));
    assert.doesNotMatch(JSON.stringify(read), /of-the-attack/);
    // As it is it has fields that nobody may write, and is refused; with what may be written it changes nothing.
    assert.equal((await platform.call('PUT', path, read)).status, 400);
    return read;
  };
  const one = await roundTrip(
    '/v1/providers/round',
    { base_url: `${provider}/v1`, api_key: 'sk-of-the-attack' },
    '/v1/providers',
  );
  const { base_url, protocol, models, limits, fallbacks } = one;
  seen.length = 0;
  const back = await platform.call('PUT', '/v1/providers/round', { base_url, protocol, models, limits, fallbacks });
  assert.deepEqual([back.status, back.body.has_key], [200, true], back.text);
  assert.equal(seen[0]?.headers.authorization, 'Bearer sk-of-the-attack');
  for (const api_key of ['', null]) {
    assert.equal((await platform.call('PUT', '/v1/providers/round', { base_url, api_key })).status, 400);
  }
  const two = await roundTrip(
    '/v1/identity-providers/round',
    { issuer: identity, client_id: 'damask', client_secret: 'secret-of-the-attack' },
    '/v1/identity-providers',
  );
  const { issuer, client_id, scopes, roles } = two;
  const kept = await platform.call('PUT', '/v1/identity-providers/round', { issuer, client_id, scopes, roles });
  assert.deepEqual([kept.status, kept.body.has_secret], [200, true], kept.text);
});
