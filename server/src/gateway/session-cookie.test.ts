import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csrfToken, requireCsrf } from './csrf.ts';
import { clearedCookie, cookieNameFor, readSessionCookie, sessionCookie } from './session-cookie.ts';

const secret = `dms_${'s'.repeat(43)}`;

test('where there is TLS the cookie is bound to this host and to TLS; only plain http on loopback goes without', () => {
  assert.equal(cookieNameFor('https://damask.example.com'), '__Host-damask');
  assert.equal(cookieNameFor('http://localhost:7440'), 'damask');
  assert.equal(cookieNameFor(undefined), '__Host-damask');
  const secure = sessionCookie('__Host-damask', secret, 60.9);
  assert.equal(secure, `__Host-damask=${secret}; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure`);
  assert.equal(clearedCookie('__Host-damask'), '__Host-damask=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure');
  assert.doesNotMatch(sessionCookie('damask', secret, 1), /Secure/);
});

test('only a cookie of exactly our name and form is read', () => {
  const read = (header: string | undefined) => readSessionCookie(header, '__Host-damask');
  assert.equal(read(`a=1; __Host-damask=${secret}; b="x"`), secret);
  assert.equal(read(`__Host-damask=${secret}`), secret);
  for (const header of [
    undefined,
    '',
    `damask=${secret}`,
    `x__Host-damask=${secret}`,
    `__Host-damask=dmk_${'s'.repeat(43)}`,
    `__Host-damask="${secret}"`,
    `__Host-damask=${secret}%20`,
    '__Host-damask',
  ]) {
    assert.equal(read(header), undefined, header);
  }
  assert.throws(() => read(`__Host-damask=${secret}; __Host-damask=x`), { code: 'two_credentials' });
});

test('the token belongs to one secret and does not tell it', () => {
  assert.notEqual(csrfToken(secret), csrfToken(`${secret.slice(0, -1)}t`));
  assert.ok(!csrfToken(secret).includes(secret.slice(4, 12)));
});

test('where nobody told our address, only the word of the browser counts', () => {
  const token = { 'damask-csrf': csrfToken(secret) };
  const write = (headers: Record<string, string>) =>
    requireCsrf({ method: 'POST', headers: { ...token, ...headers } }, secret, []);
  write({ 'sec-fetch-site': 'same-origin', origin: 'https://anything.example' });
  for (const headers of [{ origin: 'https://anything.example' }, {}, { 'sec-fetch-site': 'same-site' }]) {
    assert.throws(() => write(headers as Record<string, string>), { code: 'csrf' });
  }
});
