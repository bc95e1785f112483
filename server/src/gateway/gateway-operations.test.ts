import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '#platform/app-error.ts';
import { systemClock } from '#platform/clock.ts';
import { systemContext } from '#platform/system-context.ts';
import { createGatewayOperations, type ReadyCheck } from './gateway-operations.ts';

const ask = (...checks: ReadyCheck[]) =>
  createGatewayOperations({ checks, openApi: () => ({}), referencePage: () => '', homePage: () => '' }).readReady(
    systemContext(systemClock),
    {},
  );

test('what does not work is told by part, without what strangers must not know', async () => {
  const sound = { part: 'sound', check: () => null };
  assert.deepEqual(await ask(sound), { status: 'ready' });
  const problems = ask(
    sound,
    { part: 'resting', check: () => 'It rests.' },
    { part: 'known', check: () => Promise.reject(new AppError('unavailable', 'Try again.')) },
    {
      part: 'broken',
      check: () => {
        throw new Error('password authentication failed for user "damask" at db.internal');
      },
    },
  );
  await assert.rejects(problems, (error: AppError) => {
    assert.equal(error.status, 503);
    assert.deepEqual(error.details.problems, [
      { pointer: '/resting', detail: 'It rests.' },
      { pointer: '/known', detail: 'Try again.' },
      { pointer: '/broken', detail: 'It does not work; the log tells more.' },
    ]);
    return true;
  });
});
