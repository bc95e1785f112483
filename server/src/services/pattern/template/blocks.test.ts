import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expand } from './expand.ts';
import { hostileText, hostileTexts, seededRandom, tagCrumbs } from './hostile-text.ts';
import type { Part } from './parts.ts';
import { compileTemplate } from './template.ts';

const declared = ['a', 'b', 'tone', 'words'];
const compile = (text: string) => compileTemplate(text, { declared, language: 2 });
const problemsOf = (text: string) =>
  compile(text).problems.map(({ token, line, detail }) => `${line}: ${token} ${detail}`);

function render(text: string, values: Record<string, string> = {}, input = ''): string {
  const compiled = compile(text);
  assert.deepEqual(compiled.problems, []);
  const variables = new Map(Object.entries({ a: '', b: '', tone: '', words: '', ...values }));
  return expand(compiled, { variables, input, now: 0 });
}

test('a block stands where its variable has a value that is not false', () => {
  const text = '[{{#if a}}yes{{else}}no{{/if}}]';
  assert.equal(render(text, { a: 'x' }), '[yes]');
  assert.equal(render(text, { a: '' }), '[no]');
  assert.equal(render(text, { a: 'false' }), '[no]');
  assert.equal(render(text, { a: '0' }), '[yes]');
  assert.equal(render(text, { a: ' ' }), '[yes]');
  assert.equal(render('{{#unless a}}none{{else}}{{a}}{{/unless}}', { a: 'some' }), 'some');
  assert.equal(render('{{#if a}}only{{/if}}'), '');
});

test('a block may ask for one value, exactly', () => {
  const text = '{{#if tone == "very formal"}}Sir{{else}}Hi{{/if}}';
  assert.equal(render(text, { tone: 'very formal' }), 'Sir');
  assert.equal(render(text, { tone: 'Very formal' }), 'Hi');
  assert.equal(render('{{#unless tone==""}}{{tone}}{{/unless}}', { tone: 'x' }), 'x');
});

test('blocks stand in blocks', () => {
  const text = '{{#if a}}A{{#if b}}B{{else}}-{{/if}}{{else}}{{#unless b}}neither{{/unless}}{{/if}}.';
  assert.deepEqual(
    [render(text), render(text, { a: '1' }), render(text, { a: '1', b: '1' }), render(text, { b: '1' })],
    ['neither.', 'A-.', 'AB.', '.'],
  );
});

test('a line that holds only a tag leaves with its line break', () => {
  const text = 'One\n  {{#if a}}\nTwo\n{{else}}\t\r\nThree\n{{/if}}\nFour {{#if b}}five{{/if}}\n{{a}}\nSix';
  assert.equal(render(text, { a: 'x' }), 'One\nTwo\nFour \nx\nSix');
  assert.equal(render(text, { b: 'x' }), 'One\nThree\nFour five\n\nSix');
  assert.equal(render('{{#if a}}\n{{#if b}}\nx\n{{/if}}\n{{/if}}', { a: '1', b: '1' }), 'x\n');
});

test('what is no tag, or stands where it cannot, is refused with its line and the forms that there are', () => {
  const cases: [string, RegExp][] = [
    ['\n{{#each a}}', /^2: \{\{#each a\}\} is no tag.*\{\{#if name\}\}.*\{\{> pattern#Section\}\}/],
    ['{{#if}}', /no tag/],
    ['{{#if a.b}}', /no tag/],
    ["{{#if a == 'x'}}", /no tag/],
    ['{{#if a == b}}', /no tag/],
    ['{{#if a && b}}', /no tag/],
    ['{{#if constructor.constructor("x")}}', /no tag/],
    ['{{ #if a}}', /no tag/],
    ['{{else if b}}', /no tag/],
    ['{{^a}}', /no tag/],
    ['{{!-- note --}}', /no tag/],
    ['{{&a}}', /no tag/],
    ['{{> ../secret}}', /no tag/],
    ['{{> /etc/passwd}}', /no tag/],
    ['{{>}}', /no tag/],
    ['{{/each}}', /no tag/],
    ['{{else}}', /no \{\{#if\}\}/],
    ['{{/if}}', /no \{\{#if\}\}/],
    ['x\n{{#if a}}\n', /^2: .*never closed with \{\{\/if\}\}/],
    ['{{#if a}}{{/unless}}{{/if}}', /closes nothing: the block of line 1 ends with \{\{\/if\}\}/],
    ['{{#if a}}{{else}}{{else}}{{/if}}', /second \{\{else\}\}/],
    ['{{#if a}}{{input}}{{/if}}', /one place/],
    ['{{#if a}}{{plugin:text:upper:{{input}}}}{{/if}}', /one place/],
    ['{{plugin:text:upper:{{#if a}}}}', /inside a call/],
    ['{{ a }}', /white space; write \{\{a\}\}/],
    ['{{BaseURL}}', /declare BaseURL under variables/],
    ['```\n{{x.y}}\n```', /^2: .*letters, digits/],
    [`${'{{#if a}}'.repeat(11)}x${'{{/if}}'.repeat(11)}`, /more than 10 levels/],
  ];
  for (const [text, wanted] of cases) assert.match(problemsOf(text).join('\n'), wanted, text);
  assert.deepEqual(problemsOf(`${'{{#if a}}'.repeat(10)}x${'{{/if}}'.repeat(10)}`), []);
});

test('without language 2 the same text stays as it is', () => {
  const text = '{{#if a}} {{> other}} {{ a }}';
  assert.deepEqual(compileTemplate(text).parts, [text]);
  assert.equal(compileTemplate('{{/if}}').problems.length, 1);
});

test('a token under literal_tokens is no tag', () => {
  const literals = ['{{#if a}}', '{{/if}}', '{{> other}}'];
  const { parts, problems, includes } = compileTemplate('{{#if a}}x{{/if}}{{> other}}', { literals, language: 2 });
  assert.deepEqual([parts, problems, includes], [['{{#if a}}x{{/if}}{{> other}}'], [], []]);
});

test('includes are told in order, with section, line and place, and what stands for them is put in once', () => {
  const text = 'A\n{{> one}}\n{{>two#OUTPUT  Steps:}} {{#if a}}{{> one}}{{/if}}';
  const { includes } = compile(text);
  assert.deepEqual(
    includes.map(({ pattern, section, line, start }) => [pattern, section, line, start]),
    [
      ['one', null, 2, 2],
      ['two', 'OUTPUT  Steps:', 3, 12],
      ['one', null, 3, 45],
    ],
  );
  const included: Part[][] = [['1 {{a}} '], [{ kind: 'variable', name: 'a' }], ['3']];
  const compiled = compileTemplate(text, { declared, language: 2, included });
  const variables = new Map([['a', '{{> one}}']]);
  assert.equal(expand(compiled, { variables, input: '', now: 0 }), 'A\n1 {{a}} \n{{> one}} 3');
});

test('values come out byte for byte from every branch, and decide nothing but by being compared', () => {
  for (const value of hostileTexts) {
    const there = value !== '';
    assert.equal(
      render('<{{#if a}}{{a}}{{else}}none{{/if}}|{{#unless b == "x"}}{{b}}{{/unless}}>', { a: value, b: value }),
      `<${there ? value : 'none'}|${value}>`,
    );
  }
});

test('random templates of language 2: never a throw, never a value that is read', () => {
  const random = seededRandom(7);
  let sound = 0;
  for (let round = 0; round < 4000; round++) {
    const text = hostileText(random, 14, tagCrumbs);
    const compiled = compile(text);
    if (compiled.problems.length > 0) continue;
    sound++;
    const values = new Map(compiled.variables.map((name) => [name, hostileText(random, 6, tagCrumbs)]));
    const input = hostileText(random, 6, tagCrumbs);
    const marks = new Map([...values.keys()].map((name, index) => [name, `\u{e000}${index}`]));
    // The same branches are taken where the same values are empty, false or compared.
    const same = [...values].every(([, value]) => value !== '' && value !== 'false' && value !== 'x');
    if (!same || compiled.parts.some((part) => typeof part !== 'string' && 'argument' in part)) continue;
    if (JSON.stringify(compiled.parts).includes('"argument"')) continue;
    let wanted = expand(compiled, { variables: marks, input: '\u{e001}', now: 0 }).split('\u{e001}').join(input);
    for (const [name, mark] of [...marks].reverse()) wanted = wanted.split(mark).join(values.get(name));
    assert.equal(expand(compiled, { variables: values, input, now: 0 }), wanted);
  }
  assert.ok(sound > 500, String(sound));
});

test('five thousand tags in a megabyte are read in one go', () => {
  const text = `${'{{#if a}}'.repeat(2500)}${' '.repeat(1_000_000)}${'{{/if}}'.repeat(2500)}`;
  assert.equal(compile(text).problems.length, 1000);
  assert.deepEqual(problemsOf(`{{#if a}}\n${' \n'.repeat(500_000)}{{/if}}`), []);
});
