import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { houseFiles } from '../architecture/house.ts';
import { findSecrets } from './find-secrets.ts';

const letters = (count: number, alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789') =>
  Array.from(randomBytes(count), (byte) => alphabet[byte % alphabet.length]).join('');

/** Made anew each time, so that none of them stands in the tree. */
const canaries: Readonly<Record<string, () => string>> = {
  'key of this platform': () => `dmk_${letters(46)}`,
  'session or link of this platform': () => `dms_${randomBytes(32).toString('base64url')}`,
  'private key': () => ['-----BEGIN', `PRIVATE KEY-----\n${randomBytes(48).toString('base64')}\n`].join(' '),
  'key of OpenAI or Anthropic': () => `sk-proj-${letters(40)}`,
  'key of Google': () => `AIza${letters(35)}`,
  'key of AWS': () => `AKIA${letters(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`,
  'token of GitHub': () => `ghp_${letters(36)}`,
  'token of GitLab': () => `glpat-${letters(20)}`,
  'token of Slack': () => `xoxb-${letters(12, '0123456789')}-${letters(24)}`,
  'token of npm': () => `npm_${letters(36)}`,
  'key of Groq, Stripe or Hugging Face': () => `hf_${letters(34)}`,
  'signed token': () => ['eyJhbGciOiJIUzI1NiJ9', `eyJ${letters(30)}`, letters(43)].join('.'),
  'password in an address': () => `postgres://admin:${letters(20)}@db7.example.net/x`,
  'value that is named as a secret': () => `clientSecret: '${letters(12)}9${letters(20)}'`,
};

test('SC-7: no file of the house holds what looks like a secret', () => {
  const leaks = houseFiles().flatMap(({ path, text }) =>
    // Hashes of packages, which are no secrets and have no other form than one.
    /package-lock\.json$|sbom\.cdx\.json$/.test(path)
      ? []
      : findSecrets(text).map((leak) => `${path}:${leak.line}: ${leak.rule} ${leak.shown}`),
  );
  assert.deepEqual(leaks, [], 'A value of a test says test, example or attack in itself.');
});

test('SC-7: a planted secret of each kind is found, in code, settings and text, and is not repeated', () => {
  for (const [rule, make] of Object.entries(canaries)) {
    for (const around of [
      (it: string) => it,
      (it: string) => `const a = "${it}";`,
      (it: string) => `# x\n\nSet it to ${it}\n`,
    ]) {
      // One made by chance may look like one of a test.
      const canary = Array.from({ length: 20 }, make).find((one) => findSecrets(one).length > 0) ?? make();
      const found = findSecrets(around(canary));
      assert.ok(
        found.some((leak) => leak.rule === rule),
        `${rule} is not found`,
      );
      assert.ok(!JSON.stringify(found).includes(canary));
    }
  }
});

test('SC-7: values of tests, names and hashes are left alone', () => {
  for (const harmless of [
    `dmk_${'test'.padEnd(46, '0')}`,
    'sk-test-provider-key-of-nobody',
    'AKIAIOSFODNN7EXAMPLE',
    "const secretPlace = 'identity.identity_provider.client_secret'",
    'postgres://damask:damask@localhost/x',
    '"integrity": "sha512-aL96AHANtWjPLDOLqnhx+ngp9+UK7ETEU8VJrDCGvsSSi/mGLcWYsS6Herg7lmaBJe4uwrfqsa7gTEFaSizDoQ=="',
  ]) {
    assert.deepEqual(findSecrets(harmless), [], harmless);
  }
});
