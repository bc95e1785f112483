import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readControls, readRequirements } from '../../scripts/security-tables.ts';
import { houseFiles, houseRoot } from '../architecture/house.ts';
import { readAttackCases } from '../attacks/attack-cases.ts';

const pageOf = (path: string) => houseFiles().find((file) => file.path === path)?.text;
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');

/** Sections by their anchors, with what stands in them. */
function sectionsOf(text: string): Map<string, string> {
  const parts = text.split(/^##+ (.+)$/m);
  const sections = new Map<string, string>();
  for (let at = 1; at < parts.length; at += 2)
    sections.set(anchorOf(parts[at] as string), (parts[at + 1] ?? '').trim());
  return sections;
}

/** What is wrong with a place such as `docs/a.md#b`, or null. */
function whyNoPlace(place: string): string | null {
  const [path = '', anchor] = place.split('#');
  const text = pageOf(path);
  if (text === undefined) return existsSync(join(houseRoot, path)) ? null : `${path} is not there`;
  if (anchor === undefined) return null;
  return (sectionsOf(text).get(anchor)?.length ?? 0) > 200 ? null : `${path} says too little under #${anchor}`;
}

test('every section that the tables name is there', () => {
  const cells = [
    ...readRequirements(houseRoot).map(({ id, control }) => ({ id, text: control })),
    ...readControls(houseRoot).map(({ theme, feature, evidence }) => ({ id: theme, text: `${feature} ${evidence}` })),
  ];
  const named = cells.flatMap(({ id, text }) =>
    [...text.matchAll(/\b(?:docs|tests)\/[\w./-]+(?:#[a-z0-9-]+)?/g)].map(([place]) => ({
      id,
      place: place.replace(/\.$/, ''),
    })),
  );
  // `tests/results` is a folder of the archive of evidence, not of the house.
  const ours = named.filter(({ place }) => place !== 'tests/results');
  assert.ok(ours.length > 20);
  const wrong = ours.flatMap(({ id, place }) => {
    const why = whyNoPlace(place);
    return why === null ? [] : [`${id}: ${why}`];
  });
  assert.deepEqual(wrong, []);
  assert.match(String(whyNoPlace('docs/security/README.md#a-section-that-nobody-wrote')), /too little/);
  assert.match(String(whyNoPlace('docs/security/gone.md')), /not there/);
});

test('each attack id of the threat model is in the list of attacks', () => {
  const ids = new Set(readAttackCases().map(({ id }) => id));
  const threats = pageOf('docs/security/threat-model.md') ?? '';
  const named = [...threats.matchAll(/\b(?:Z|A|T|X|U|S|SC|G)-\d+\b/g)].map(([id]) => id);
  assert.ok(named.length > 60);
  assert.deepEqual(
    named.filter((id) => !ids.has(id)),
    [],
  );
  for (const number of Array.from({ length: 10 }, (_, at) => at + 1)) {
    assert.match(threats, new RegExp(`^\\| API${number} `, 'm'));
    assert.match(threats, new RegExp(`^\\| LLM${String(number).padStart(2, '0')} `, 'm'));
  }
});

test('the pages of security are found from the first pages', () => {
  for (const path of ['README.md', 'ARCHITECTURE.md']) assert.match(pageOf(path) ?? '', /docs\/security\//, path);
  const index = pageOf('docs/security/README.md') ?? '';
  const pages = houseFiles().filter(({ path }) => path.startsWith('docs/security/') && !path.endsWith('README.md'));
  assert.ok(pages.length >= 5);
  for (const { path } of pages) assert.ok(index.includes(`](${path.slice('docs/security/'.length)})`), path);
});
