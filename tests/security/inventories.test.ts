import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Setting } from '../../server/src/platform/setting.ts';
import { sections } from '../../server/src/settings.ts';
import { houseFiles, isTestCode, sourceFiles } from '../architecture/house.ts';

const page = houseFiles().find(({ path }) => path === 'docs/security/rules-and-inventories.md')?.text ?? '';
const section = (title: string) => page.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '';

/** The algorithms that a source names to the functions of node:crypto. */
function algorithmsIn(text: string): string[] {
  const found: string[] = [];
  const kinds: readonly (readonly [RegExp, (name: string) => string])[] = [
    [/\bcreate(?:Cipher|Decipher)iv\(\s*'([^']+)'/g, (name) => name],
    [/\b(?:createHash|hash)\(\s*'([^']+)'/g, (name) => name],
    [/\bcreateHmac\(\s*'([^']+)'/g, (name) => `hmac-${name}`],
    [/\bhkdf(?:Sync)?\(\s*'([^']+)'/g, (name) => `hkdf-${name}`],
    [/\bgenerateKeyPair(?:Sync)?\(\s*'([^']+)'/g, (name) => name],
    [/\b(?:createSign|createVerify)\(\s*'([^']+)'/g, (name) => name],
    [/\b(scrypt|pbkdf2|argon2|createECDH|diffieHellman)\w*\(/g, (name) => name],
  ];
  for (const [shape, nameOf] of kinds) {
    for (const [, name] of text.matchAll(shape)) found.push(nameOf(name as string));
  }
  return found;
}

const program = () =>
  sourceFiles().filter(
    ({ path }) => /^(server|cli|sdk|contracts)\//.test(path) && !isTestCode(path) && !/(^|\/)test-/.test(path),
  );

test('the inventory of cryptography is what the sources use', () => {
  const used = new Set(program().flatMap(({ text }) => algorithmsIn(text)));
  const listed = [...section('Cryptography').matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, name]) => name as string);
  assert.deepEqual(
    [...used].sort(),
    [...listed].sort(),
    'Say in docs/security/rules-and-inventories.md what it is for.',
  );
  assert.deepEqual(algorithmsIn("createHash('md5'); createHmac('sha1', key); createCipheriv('aes-128-cbc', k, n)"), [
    'aes-128-cbc',
    'md5',
    'hmac-sha1',
  ]);
  // Whoever names no algorithm in place would not be seen.
  const unnamed = program().filter(({ text }) =>
    /\b(createHash|createHmac|createCipheriv|createDecipheriv)\((?!\s*')/.test(text),
  );
  assert.deepEqual(
    unnamed.map(({ path }) => path),
    [],
  );
});

test('each secret of the settings has its place in the life of a key', () => {
  const life = section('The life of a key') + section('Cryptography');
  const named = (variable: string) => life.includes(`\`${variable}\``);
  // Keys of vendors, keepers and stores are turned where they are made.
  const ofOthers = /^(AWS_|DAMASK_VAULT_)|_API_KEY$/;
  const stores = ['DAMASK_DATABASE_URL', 'DAMASK_REDIS_URL', 'DAMASK_RABBITMQ_URL'];
  const secrets = Object.values(sections)
    .flatMap((settings) => Object.values(settings as Record<string, Setting<unknown>>))
    .filter(({ secret }) => secret)
    .map(({ variable }) => variable);
  assert.ok(secrets.length > 10);
  const missing = secrets.filter(
    (variable) => !ofOthers.test(variable) && !stores.includes(variable) && !named(variable),
  );
  assert.deepEqual(missing, []);
  assert.match(life, /passwords of PostgreSQL, Redis, RabbitMQ/);
});
