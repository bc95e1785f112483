import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { systemClock } from './clock.ts';
import { createServiceTokens } from './service-token.ts';
import { systemContext } from './system-context.ts';

const secret = randomBytes(32);
const tokens = createServiceTokens({ secret, clock: systemClock });
const refused = { code: 'unauthenticated' };

test('a token gives the claims that it was signed with', () => {
  const context = systemContext(systemClock);
  const claims = tokens.verify(tokens.sign(context, 'identity/readKey'), 'identity/readKey');
  assert.equal(claims.workspace, context.workspace);
  assert.deepEqual(claims.actor, context.actor);
  assert.equal(claims.deadline, context.deadline);
});

test('a token serves for the operation that it names only', () => {
  const token = tokens.sign(systemContext(systemClock), 'identity/readKey');
  assert.throws(() => tokens.verify(token, 'identity/revokeKey'), refused);
});

test('a token is refused after its time', () => {
  const token = tokens.sign(systemContext(systemClock), 'identity/readKey');
  const later = createServiceTokens({ secret, clock: { ...systemClock, now: () => Date.now() + 31_000 } });
  assert.throws(() => later.verify(token, 'identity/readKey'), refused);
});

test('a token of another secret, a changed one and none are refused alike', () => {
  const token = tokens.sign(systemContext(systemClock), 'identity/readKey');
  const other = createServiceTokens({ secret: randomBytes(32), clock: systemClock });
  const [body = '', signature = ''] = token.split('.');
  const wrong = [
    other.sign(systemContext(systemClock), 'identity/readKey'),
    `${body}x.${signature}`,
    `${body}.`,
    body,
    '',
    `${token}.x`,
  ];
  for (const attempt of [...wrong, 'x'.repeat(100_000)]) {
    assert.throws(() => tokens.verify(attempt, 'identity/readKey'), refused);
  }
});
