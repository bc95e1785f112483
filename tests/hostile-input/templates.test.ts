import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hostileTexts } from '../../server/src/services/pattern/template/hostile-text.ts';
import { faultOfRefusal, type HostilePlatform, startHostilePlatform } from './hostile-platform.ts';

let hostile: HostilePlatform;
before(async () => {
  hostile = await startHostilePlatform();
  for (const [name, system] of [
    ['around', 'Before {{name}} and {{other}} after.'],
    ['inline', 'Read this: {{input}}\nEnd of {{name}}.'],
  ]) {
    const made = await hostile.send('POST', '/v1/patterns', { body: { name, system } });
    assert.equal(made.status, 201, made.text);
  }
});
after(() => hostile.stop());

// NUL is refused on its way in; the bodies have their own tests.
const texts = hostileTexts.filter((text) => !text.includes('\0'));
const long = [...texts, texts.join(''), '{{'.repeat(20_000), `${'{{name}}'.repeat(2_000)}`];

test('values that try to be templates, code or another role reach the model byte for byte', async (t) => {
  let asked = 0;
  for (const value of long) {
    for (const stream of [false, true]) {
      const input = value.trim() === '' ? `x${value}` : value;
      const variables = { name: value, other: '{{name}}' };
      const body = { pattern: 'around', input, variables, model: 'openai/test', stream };
      const reply = await hostile.send('POST', '/v1/runs', { body });
      assert.equal(reply.status, 200, reply.text.slice(0, 500));
      const call = hostile.model.calls.at(-1);
      const expected = [
        { role: 'system', content: `Before ${value} and {{name}} after.` },
        { role: 'user', content: input },
      ];
      assert.deepEqual(call?.messages, expected);
      const { stream: _, ...preview } = body;
      const rendered = await hostile.send('POST', '/v1/render', { body: preview });
      assert.deepEqual(rendered.body.messages, expected, 'the preview differs from what was sent');
      asked += 1;
    }
  }
  t.diagnostic(`${asked} cases`);
});

test('an input inside the pattern stays where it is, byte for byte, and so does what follows it', async () => {
  for (const value of long) {
    const input = value.trim() === '' ? `x${value}` : value;
    const body = { pattern: 'inline', input, variables: { name: value }, model: 'openai/test' };
    const reply = await hostile.send('POST', '/v1/render', { body });
    assert.equal(reply.status, 200, reply.text.slice(0, 500));
    assert.ok(reply.body.messages[0].content.includes(`Read this: ${input}\nEnd of ${value}.`), JSON.stringify(value));
  }
});

test('what the model says comes back as it is, and what the database cannot hold becomes U+FFFD', async () => {
  for (const said of [...texts, 'a\0b', 'x\ud800y', '\udc00', '__proto__', '<script>alert(1)</script>']) {
    hostile.script = (_, answer) => answer.say(said);
    const body = { pattern: 'plain', input: 'x', model: 'openai/test' };
    const reply = await hostile.send('POST', '/v1/runs', { body });
    hostile.script = undefined;
    assert.equal(reply.status, 200, reply.text);
    const kept = said.replaceAll('\0', '\ufffd').toWellFormed();
    assert.equal(reply.body.output, kept, JSON.stringify(said));
    assert.equal(reply.body.sanitised, kept !== said, JSON.stringify(said));
    const stored = await hostile.send('GET', `/v1/runs/${reply.body.id}`);
    assert.equal(stored.body.output, kept);
  }
});

test('variables with the names of what every object has are variables, missing ones are named', async () => {
  const names = ['constructor', 'toString', 'hasOwnProperty', 'valueOf', '__proto__', 'prototype', 'length', 'then'];
  for (const name of names) {
    const pattern = `uses_${name.toLowerCase().replaceAll('_', '')}`;
    const made = await hostile.send('POST', '/v1/patterns', {
      body: { name: pattern, system: `Say {{${name}}} now.` },
    });
    const always = ['__proto__', 'constructor'].includes(name);
    assert.equal(made.status, made.status === 422 || always ? 422 : 201, made.text);
    if (made.status === 422) continue;
    const without = await hostile.send('POST', '/v1/render', { body: { pattern, input: 'x' } });
    assert.equal(`${without.status} ${without.body.code}`, '400 missing_variable', without.text);
    const body = { pattern, input: 'x', variables: { [name]: 'it' } };
    const given = await hostile.send('POST', '/v1/render', { body });
    assert.equal(given.body.messages[0].content, 'Say it now.');
  }
});

test('variables that the pattern does not know are refused or passed over, never used', async () => {
  const body = { pattern: 'greet', input: 'x', variables: { name: 'Ada', constructor: 'x', toString: '{{name}}' } };
  const reply = await hostile.send('POST', '/v1/render', { body });
  assert.ok(reply.status === 400 || reply.body.messages[0].content === 'Greet Ada kindly.', reply.text);
});

test('files of a pattern and of a tree stay inside their folder', async (t) => {
  const paths = [
    ...['../system.md', '../../etc/passwd', '/etc/passwd', '/system.md', 'a/../../system.md', './system.md', 'a//b.md'],
    ...['..', '.', '/', 'a/', 'a\\b.md', '..\\..\\x.md', 'C:\\x.md', 'C:x.md', 'system.md ', ' system.md', 'a./b.md'],
    ...[
      'a/./b.md',
      'a/../b.md',
      'x\u202emd.metsys',
      'a\u200bb.md',
      'a\nb.md',
      'nul\u0001.md',
      'e\u0301.md',
      'a:b.md',
      'a*.md',
    ],
  ];
  let asked = 0;
  await hostile.leavesNothing(async () => {
    for (const path of paths) {
      const files = [
        { path: 'system.md', content: 'x' },
        { path, content: 'x' },
      ];
      const made = await hostile.send('POST', '/v1/patterns', { body: { name: 'outside', files } });
      const fault = faultOfRefusal(made, { status: 422, code: 'invalid_pattern', pointer: '/files/1' });
      assert.equal(fault, undefined, JSON.stringify(path));
      const published = await hostile.send('POST', '/v1/patterns/plain/versions', { body: { files } });
      assert.equal(published.status, 422, JSON.stringify(path));
      asked += 2;
    }
    for (const path of [
      '../x/system.md',
      '/patterns/x/system.md',
      'patterns/../system.md',
      'patterns/x/../../y.md',
      'patterns\\x\\system.md',
    ]) {
      const files = [
        { path: 'patterns/fine/system.md', content: 'x' },
        { path, content: 'x' },
      ];
      const reply = await hostile.send('POST', '/v1/imports', { body: { files } });
      assert.equal(`${reply.status} ${reply.body.code}`, '422 invalid_tree', path);
      asked += 1;
    }
  });
  t.diagnostic(`${asked} cases`);
});
