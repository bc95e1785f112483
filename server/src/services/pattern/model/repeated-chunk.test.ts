import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from './model-answer.ts';
import { readChatDocument } from './openai-answer.ts';
import { createRepeatedChunks } from './repeated-chunk.ts';

const chunk = (content: string, more = '') =>
  `{"id":"chat-1","choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}},"finish_reason":null}]${more}}`;
const open = () => createRepeatedChunks((document: object, answer: Answer) => void readChatDocument(document, answer));

test('a chunk that differs from an earlier one in its text alone is read without being parsed', () => {
  const repeated = open();
  assert.equal(repeated.textOf(chunk('one')), undefined);
  repeated.learn(chunk('one'), 'one');
  for (const text of ['two', '', 'é', '}', 'chat-1', '{"a":1}'.replaceAll('"', "'"), 'x'.repeat(10_000)])
    assert.equal(repeated.textOf(chunk(text)), text);
});

test('what JSON writes in another way than it means, or what says more, is left to the parser', () => {
  const repeated = open();
  repeated.learn(chunk('one'), 'one');
  for (const text of ['a "quote"', 'a \\ stroke', 'a\nline', '\u0001', '","finish_reason":"stop'])
    assert.equal(repeated.textOf(chunk(text)), undefined, text);
  assert.equal(repeated.textOf(chunk('two').replace('null', '"stop"')), undefined);
  assert.equal(repeated.textOf(chunk('two', ',"usage":{}')), undefined);
  assert.equal(repeated.textOf(chunk('two').replace('chat-1', 'chat-2')), undefined);
  assert.equal(repeated.textOf(chunk('two').slice(0, -1)), undefined);
  assert.equal(repeated.textOf('[DONE]'), undefined);
});

test('nothing is learnt from a chunk whose text stands elsewhere too, or that says more than text', () => {
  const twice = open();
  twice.learn(chunk('chat-1'), 'chat-1');
  assert.equal(twice.textOf(chunk('chat-1')), undefined);
  const ends = open();
  ends.learn(chunk('one').replace('null', '"stop"'), 'one');
  assert.equal(ends.textOf(chunk('two').replace('null', '"stop"')), undefined);
  const counts = open();
  counts.learn(chunk('one', ',"usage":{"prompt_tokens":1}'), 'one');
  assert.equal(counts.textOf(chunk('two', ',"usage":{"prompt_tokens":1}')), undefined);
});

test('a text of a key, and text in two places of one chunk, are told apart', () => {
  const doubled = '{"content":"one","choices":[{"delta":{"content":"one"}}]}';
  const first = open();
  first.learn(doubled, 'one');
  assert.equal(first.textOf('{"content":"two","choices":[{"delta":{"content":"one"}}]}'), undefined);
  const key = open();
  key.learn(chunk('content'), 'content');
  assert.equal(key.textOf(chunk('other')), undefined);
});
