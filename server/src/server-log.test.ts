import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listSettings, readConfig } from './config.ts';
import { createServerLog } from './server-log.ts';

test('the log knows the value of every setting that is secret, and each of several keys', () => {
  const secrets = listSettings().filter(({ help }) => /^(?:Key of|Token|Secret|Signs)/.test(help));
  assert.ok(secrets.length >= 10);
  const environment = Object.fromEntries(secrets.map(({ variable }) => [variable, `canary of ${variable}`]));
  const keys = { DAMASK_KEY: 'canary-of-the-new-key,canary-of-the-old-key' };
  const { redact } = createServerLog(
    readConfig({ environment: { ...environment, ...keys, HOME: '/nowhere' } }),
    'test',
  );
  for (const text of [...Object.values(environment), ...keys.DAMASK_KEY.split(',')]) {
    assert.equal(redact.text(`It said ${text} again`), 'It said [redacted] again');
  }
});
