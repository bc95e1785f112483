import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { patternYamlSchema } from '@damask/contracts/pattern-yaml-schema.ts';
import { parse } from 'yaml';
import { checkBySchema } from '#platform/user-schema/check-by-schema.ts';
import { readPatternYaml } from './pattern-yaml.ts';

const blocksOf = (path: string) => {
  const page = readFileSync(new URL(`../../../../../docs/${path}`, import.meta.url), 'utf8');
  return [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text]) => text as string);
};
const blocks = blocksOf('reference/pattern-format.md');
const chains = [...blocksOf('reference/chains.md'), ...blocksOf('guides/chains.md')];
const schema = patternYamlSchema();

test('every example of the pages about the format is a pattern.yaml, for the server and for editors', () => {
  assert.ok(blocks.length >= 5 && chains.length >= 5, String(blocks.length));
  for (const block of [...blocks, ...chains]) {
    assert.deepEqual(readPatternYaml(block).problems, [], block);
    assert.deepEqual(checkBySchema(schema, parse(block)), [], block);
  }
});

test('the examples show every key there is', () => {
  const shown = new Set(blocks.flatMap((block) => Object.keys(parse(block) as object)));
  assert.deepEqual(
    Object.keys(schema.properties as object).filter((key) => !shown.has(key)),
    [],
  );
});

test('editors and the server refuse the same mistakes', () => {
  const mistakes = [
    'modle: a/b',
    'model: gpt',
    'template: 3',
    'parameters: {temperature: 3}',
    'parameters: {temprature: 1}',
    'variables: {a.b: {}}',
    'variables: {a: {typ: string}}',
    'output: {type: xml}',
    'limits: {timeout_ms: 1}',
    'cache: {}',
    'examples: [{text: x}]',
    'tools: [{name: a}]',
    'fallbacks: a/b',
    'title: [a]',
    'steps: {a: {patern: x}}',
    'steps: {A b: {pattern: x}}',
    'steps: {a: {pattern: x, max_items: 1001}}',
    'steps: {a: {pattern: x, when: {equals: x}}}',
    'steps: {a: {approval: {}}}',
    'steps: {a: {pattern: x, on_error: stop}}',
    'steps: {a: {pattern: x, map_reduce: {size: 10, reduce: y}}}',
  ];
  for (const text of mistakes) {
    assert.notDeepEqual(readPatternYaml(text).problems, [], text);
    assert.notDeepEqual(checkBySchema(schema, parse(text)), [], text);
  }
});
