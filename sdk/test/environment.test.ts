import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const folder = new URL('../src/', import.meta.url);

test('the sdk leans on nothing that only Node has', () => {
  const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  assert.ok(sources.length > 5);
  for (const name of sources) {
    const text = readFileSync(new URL(name, folder), 'utf8');
    assert.doesNotMatch(text, /from 'node:|\b(process|Buffer|require|global)[.(]|\bsetImmediate\b/, name);
  }
});
