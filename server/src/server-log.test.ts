import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfig, listSettings, readConfig } from './config.ts';
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

test('the log and check-config know what is secret within an address, also in one that is not right', () => {
  const environment = {
    HOME: '/nowhere',
    DAMASK_DATABASE_URL: 'postgres://me:first%2Fcanary@db.example/damask',
    DAMASK_REDIS_URL: 'redis:/default:second-canary@127.0.0.1/0',
    DAMASK_AUDIT_WEBHOOK: 'https://me:third-canary@siem.example/in?token=fourth-canary&of=everything',
    OPENAI_API_KEY: 'fifth-canary',
    DAMASK_EGRESS_ALLOW: 'fifth-canary',
  };
  const config = readConfig({ environment });
  const { redact } = createServerLog(config, 'test');
  for (const secret of ['first%2Fcanary', 'first/canary', 'second-canary', 'third-canary', 'fourth-canary']) {
    assert.equal(redact.text(`It said ${secret} again`), 'It said [redacted] again');
  }
  const shown = JSON.stringify(describeConfig(config));
  assert.doesNotMatch(shown, /canary/);
  assert.match(shown, /siem\.example\/in\?token=\[redacted\]&of=everything/);
});
