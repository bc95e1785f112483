import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import type { KeyTableRow } from '@damask/contracts/api-key.ts';
import { hashApiKey, newApiKey } from '#platform/api-key.ts';
import { AppError } from '#platform/app-error.ts';
import { systemClock } from '#platform/clock.ts';
import { type CredentialSource, createAuthenticate } from './authenticate.ts';
import { createFailedLogins } from './failed-logins.ts';
import { createKeyTable } from './key-table.ts';
import { createMemberTable } from './member-table.ts';
import { createPrincipals } from './principals.ts';
import { toProblem } from './problem.ts';

const key = newApiKey(randomBytes);
const stranger = newApiKey(randomBytes);
const good = ['Authorization', `Bearer ${key}`];

const empty = async () => ({ items: [] });
const nobody = { readMemberTable: empty, readRoleTable: empty, readServiceAccountTable: empty };

async function start({ burst = 1e9, hotKeys = 100 } = {}) {
  const time = { now: Date.now(), currentAt: Date.now() };
  const clock = { ...systemClock, now: () => time.now };
  const keys = new Map<string, Partial<KeyTableRow>>([[key, {}]]);
  let reads = 0;
  const keyTable = createKeyTable({
    clock,
    identity: {
      readKeyTable: async () => {
        reads += 1;
        const items = [...keys].map(([text, more], i) => ({
          id: `018f0000-0000-7000-8000-${String(i).padStart(12, '0')}`,
          workspace: '018f0000-0000-7000-8000-00000000aaaa',
          name: `key ${i}`,
          role: 'runner' as const,
          hash: hashApiKey(text),
          expires_at: null,
          ...more,
        }));
        return { items };
      },
    },
  });
  await keyTable.load();
  const failedLogins = createFailedLogins({ clock, burst });
  const authenticate = createAuthenticate({
    principals: createPrincipals(keyTable, createMemberTable({ identity: nobody, clock })),
    currentAt: () => time.currentAt,
    clock,
    failedLogins,
    hotKeys,
  });
  const from = (rawHeaders: readonly string[], url = '/v1/runs', remoteAddress = '192.0.2.1'): CredentialSource => ({
    rawHeaders,
    url,
    headers: {},
    socket: { remoteAddress },
  });
  const codeOf = (...request: Parameters<typeof from>): string => {
    try {
      authenticate(from(...request));
      return 'ok';
    } catch (error) {
      assert.ok(error instanceof AppError, `${error}`);
      return error.code;
    }
  };
  return { authenticate, codeOf, from, keys, keyTable, time, reads: () => reads };
}

test('a known key is recognised, in whatever case and spacing HTTP allows', async () => {
  const { authenticate, from, codeOf } = await start();
  for (let i = 0; i < 2; i++) {
    const { workspace, actor, permissions } = authenticate(from(['Host', 'x', ...good]));
    assert.equal(workspace, '018f0000-0000-7000-8000-00000000aaaa');
    assert.deepEqual([actor.kind, actor.name, actor.role], ['key', 'key 0', 'runner']);
    assert.ok(permissions.has('run:execute') && !permissions.has('key:write'));
  }
  assert.equal(codeOf(['authorization', `bearer   ${key}`]), 'ok');
  assert.equal(codeOf(['AUTHORIZATION', `BEARER ${key}`]), 'ok');
});

test('A-10: every other credential gets one and the same answer, to the byte', async () => {
  const { authenticate, from, keys, keyTable, time } = await start();
  const revoked = newApiKey(randomBytes);
  const expired = newApiKey(randomBytes);
  keys.set(revoked, {});
  keys.set(expired, { expires_at: new Date(time.now + 1_000).toISOString() });
  await keyTable.load();
  for (const text of [revoked, expired]) authenticate(from(['Authorization', `Bearer ${text}`]));
  keys.delete(revoked);
  await keyTable.load();
  authenticate(from(['Authorization', `Bearer ${expired}`]));
  time.now += 1_000;

  const typo = key.slice(0, -1) + (key.endsWith('0') ? '1' : '0');
  const values = [
    ...['', 'null', 'undefined', '[]', '{}', '0', 'Bearer', 'Bearer ', 'Bearer null', 'Bearer dmk_', key],
    ...[revoked, expired, stranger, typo, key.toUpperCase(), `${key}x`, key.slice(1), ` ${key} ${key}`].map(
      (text) => `Bearer ${text}`,
    ),
    ...[`Basic ${key}`, `Basic ${Buffer.from(`${key}:`).toString('base64')}`, `Token ${key}`, `Bearer\t${key}`],
    ...[`Bearer ${key}\u00a0`, `Bearer ${key}\n`, `Bearer\u2003${key}`, `"Bearer ${key}"`, `Bearer "${key}"`],
    ...["Bearer ' OR '1'='1", "Bearer dmk_'; select pg_sleep(10) --", 'Bearer __proto__', 'Bearer constructor'],
    ...[`Bearer ${'a'.repeat(1024 * 1024)}`, 'x'.repeat(1024 * 1024), `Bearer ${' '.repeat(1024 * 1024)}${key}`],
  ];
  const sources = [
    ...values.map((value) => from(['Authorization', value])),
    from([]),
    from(['Cookie', `session=${key}`]),
    from(['X-API-Key', key]),
    from(['Proxy-Authorization', `Bearer ${key}`]),
    from(['Authorization']),
  ];
  const bodies = sources.map((source, i) => {
    try {
      authenticate(source);
    } catch (error) {
      assert.ok(error instanceof AppError);
      assert.equal(error.status, 401, values[i]?.slice(0, 80));
      return JSON.stringify(toProblem(error, 'id'));
    }
    return assert.fail(`accepted: ${values[i]?.slice(0, 80)}`);
  });
  assert.equal(new Set(bodies).size, 1);
});

test('two credentials at once are refused, however they are spread', async () => {
  const { codeOf } = await start();
  const bearer = `Bearer ${key}`;
  for (const [headers, url] of [
    [[...good, ...good]],
    [[...good, 'authorization', 'Basic eDp5']],
    [['Authorization', 'Basic eDp5', ...good]],
    [['Authorization', `${bearer}, ${bearer}`]],
    [['Authorization', `${bearer},Basic eDp5`]],
    [[...good, 'X-API-Key', key]],
    [['x-api-key', key, ...good]],
    [['x-api-key', key, 'X-Api-Key', key]],
    [good, `/v1/runs?key=${key}`],
    [good, '/v1/runs?api_key=secret'],
    [good, '/v1/runs?limit=5&API_KEY=x'],
    [good, `/v1/runs?${key}`],
    [['X-API-Key', key], `/v1/runs?api_key=${key}`],
  ] as [string[], string?][]) {
    assert.equal(codeOf(headers, url), 'two_credentials', `${headers} ${url}`);
  }
});

test('A-12: a key in the address is refused as such, encoded or not', async () => {
  const { codeOf } = await start();
  const encoded = [...key].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join('');
  for (const url of [
    `/v1/runs?key=${key}`,
    '/v1/runs?key=dmk_short',
    `/v1/runs?a=1&k%65y=${encoded}`,
    `/v1/runs?pattern=${key}`,
    `/v1/runs?authorization=Bearer%20dmk_x`,
    `/v1/runs?access_token=${stranger}`,
    `/v1/keys/${key}`,
    `http://x/${key}?`,
    '/v1/runs?api_key=',
  ]) {
    assert.equal(codeOf([], url), 'key_in_query', url);
  }
});

test('ordinary queries are no credentials', async () => {
  const { codeOf } = await start();
  for (const url of [
    '/v1/runs?pattern=dmk_summary&limit=5',
    '/v1/runs?key=name',
    '/v1/runs?token=abc',
    '/v1/runs?',
    '/v1/runs?%',
    '/v1/runs?%ff=%00&&==',
    '',
  ]) {
    assert.equal(codeOf(good, url), 'ok', url);
  }
});

test('without news of the keys for over a minute nobody is let in, also when the clock was set back', async () => {
  const { codeOf, time } = await start();
  time.now = time.currentAt + 60_000;
  assert.equal(codeOf(good), 'ok');
  time.now += 1;
  assert.equal(codeOf(good), 'unavailable');
  assert.equal(codeOf(['Authorization', `Bearer ${stranger}`]), 'unavailable');
  assert.equal(codeOf([]), 'unauthenticated');
  time.now = time.currentAt - 3_600_000;
  assert.equal(codeOf(good), 'unavailable');
  time.currentAt = time.now;
  assert.equal(codeOf(good), 'ok');
});

test('a revoked key stops with the next table and an expired one at its time, although both were hot', async () => {
  const { codeOf, keys, keyTable, time } = await start();
  keys.set(key, { expires_at: new Date(time.now + 5_000).toISOString() });
  await keyTable.load();
  assert.equal(codeOf(good), 'ok');
  time.now += 5_000;
  assert.equal(codeOf(good), 'unauthenticated');
  keys.set(key, {});
  await keyTable.load();
  assert.equal(codeOf(good), 'ok');
  keys.delete(key);
  await keyTable.load();
  assert.equal(codeOf(good), 'unauthenticated');
});

test('A-10: guesses read nothing from the database and are slowed down; a valid key passes all the same', async () => {
  const { authenticate, from, codeOf, reads } = await start({ burst: 100 });
  const before = reads();
  const codes = Array.from({ length: 1_000 }, () => codeOf(['Authorization', `Bearer ${newApiKey(randomBytes)}`]));
  assert.equal(reads(), before);
  assert.deepEqual(new Set(codes.slice(0, 100)), new Set(['unauthenticated']));
  assert.ok(codes.slice(110).every((code) => code === 'rate_limited'));
  assert.throws(
    () => authenticate(from(['Authorization', `Bearer ${stranger}`])),
    (error: AppError) => error.status === 429 && (error.details.retryAfterSeconds ?? 0) >= 1,
  );
  assert.equal(codeOf(good), 'ok');
  assert.equal(codeOf([]), 'unauthenticated');
  assert.equal(codeOf(['Authorization', 'Bearer x'], '/', '192.0.2.2'), 'unauthenticated');
});

test('keys beyond those that are kept hot are recognised too', async () => {
  const { codeOf } = await start({ hotKeys: 10 });
  for (let i = 1; i < 200; i++) assert.equal(codeOf(['Authorization', `Bearer${' '.repeat(i)}${key}`]), 'ok');
  assert.equal(codeOf(good), 'ok');
});

test('hostile headers and addresses end in an error of ours, and never in an entry', async () => {
  const { authenticate, from } = await start();
  const pieces = [
    ...[
      'Authorization',
      'authorization',
      'X-API-Key',
      'Bearer ',
      'Bearer',
      'Basic ',
      'dmk_',
      ',',
      ' ',
      '',
      '?',
      '&',
      '=',
    ],
    ...['key=', 'api_key=', '%', '%zz', '%00', '\u0000', '\r\n', '\ud800', '𝄞', '__proto__', '/v1/runs', stranger],
    ...[key.slice(0, 20), key.slice(20), 'a'.repeat(5_000), '\u2028', '#', '//', '@', '::', "' or 1=1 --"],
  ];
  const any = () => Array.from({ length: randomInt(6) }, () => pieces[randomInt(pieces.length)]).join('');
  let refused = 0;
  for (let i = 0; i < 20_000; i++) {
    const names = () => (randomInt(2) ? (pieces[randomInt(3)] as string) : any());
    const headers = Array.from({ length: randomInt(7) }, (_, at) => (at % 2 ? any() : names()));
    const source = { ...from(headers, any(), any()), ...(randomInt(50) ? {} : { url: undefined, socket: {} }) };
    try {
      authenticate(source);
      const holdsKey = source.rawHeaders.some((text) => text.includes(key));
      assert.ok(holdsKey, JSON.stringify(source));
    } catch (error) {
      assert.ok(error instanceof AppError, `${error} for ${JSON.stringify(source)}`);
      assert.ok(error.status === 400 || error.status === 401, error.code);
      refused += 1;
    }
  }
  assert.ok(refused > 19_000);
});
