import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type CatalogueFile, readCatalogue } from './catalogue.ts';
import { factsOf } from './model-facts.ts';
import { priceAt } from './price.ts';

const file = JSON.parse(readFileSync(new URL('./catalogue.json', import.meta.url), 'utf8')) as CatalogueFile;
const catalogue = readCatalogue();
const isDay = (text: string) => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
const today = Date.parse('2026-11-23T00:00:00Z');

test('every vendor has a source and a day, every price is a whole number of micro-units and no price is 0', () => {
  assert.ok(isDay(file.as_of));
  const wrong: string[] = [];
  for (const [name, vendor] of Object.entries(file.vendors)) {
    if (!vendor.source.startsWith('https://') || !isDay(vendor.read) || vendor.read > file.as_of) wrong.push(name);
    for (const [id, model] of Object.entries(vendor.models)) {
      for (const price of model.prices ?? []) {
        const { from, above, ...rest } = price;
        if (!isDay(from)) wrong.push(`${name}/${id} from ${from}`);
        for (const value of [...Object.values(rest), ...Object.values(above ?? {})]) {
          if (!Number.isSafeInteger(value) || value <= 0) wrong.push(`${name}/${id}: ${value}`);
        }
        if (price.output < price.input) wrong.push(`${name}/${id}: output is cheaper than input`);
        if ((price.cached_input ?? 0) > price.input) wrong.push(`${name}/${id}: cached input is dearer`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

test('a vendor is known by its host, a model also by its dated name; a stranger under the same name is not', () => {
  const anthropic = { protocol: 'anthropic', baseUrl: 'https://api.anthropic.com/v1' } as const;
  const dated = catalogue.find(anthropic, 'claude-haiku-4-5-20251001');
  assert.deepEqual(dated, catalogue.find(anthropic, 'claude-haiku-4-5'));
  assert.equal(priceAt(dated?.prices ?? [], today, 0)?.input, 1_000_000);
  const stranger = { protocol: 'anthropic', baseUrl: 'https://api.anthropic.com.example.org/v1' } as const;
  assert.equal(catalogue.find(stranger, 'claude-haiku-4-5'), undefined);
  const azure = { protocol: 'azure', baseUrl: 'https://mine.openai.azure.com' } as const;
  assert.deepEqual(catalogue.find(azure, 'gpt-6-luna')?.prices, []);
  const ollama = { protocol: 'ollama', baseUrl: 'http://127.0.0.1:11434' } as const;
  assert.equal(catalogue.find(ollama, 'llama3.2:3b')?.context_window, 131_072);
});

test('what a workspace says wins over the catalogue, prices only together', () => {
  const openai = { protocol: 'openai', baseUrl: 'https://api.openai.com/v1' } as const;
  const known = catalogue.find(openai, 'gpt-6-luna');
  const half = factsOf({ id: 'gpt-6-luna', input_price: 1 }, known, 'workspace');
  assert.deepEqual([half.prices, half.source], [known?.prices, 'catalogue']);
  const own = factsOf({ id: 'gpt-6-luna', input_price: 1, output_price: 2, max_output: 5 }, known, 'workspace');
  assert.deepEqual([own.source, own.max_output, own.context_window], ['workspace', 5, known?.context_window]);
  assert.deepEqual(own.prices, [{ from: 0, input: 1, output: 2, cached_input: 1, cache_write: 1 }]);
});
