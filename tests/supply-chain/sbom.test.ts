import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { generateSbom } from '../../scripts/generate-sbom.ts';
import { lockedPackages, readPackageLocks } from '../../scripts/package-locks.ts';

interface Bom {
  readonly components: readonly {
    readonly 'bom-ref': string;
    readonly purl: string;
    readonly hashes: readonly unknown[];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const kept = readFileSync(join(import.meta.dirname, '../../docs/reference/sbom.cdx.json'), 'utf8');
const locks = readPackageLocks();

test('SC-4: the bill of materials is that of the lock files', () => {
  assert.equal(kept, generateSbom(locks), 'Run `npm run generate` and look at what it changes.');
});

test('SC-4: it names each package once, with its hash, and each that it uses', () => {
  const { components, dependencies } = JSON.parse(kept) as Bom;
  const refs = new Set(components.map((one) => one['bom-ref']));
  assert.equal(refs.size, components.length);
  assert.equal(components.length, lockedPackages(locks).length);
  assert.ok(components.every(({ hashes, purl }) => hashes.length === 1 && purl.startsWith('pkg:npm/')));
  assert.ok(dependencies.every(({ ref, dependsOn }) => refs.has(ref) && dependsOn.every((used) => refs.has(used))));
  const used = dependencies.find(({ ref }) => ref === 'damask:node_modules/pg')?.dependsOn ?? [];
  assert.ok(used.includes('damask:node_modules/pg-pool'));
});

test('SC-4: it changes with any package, and not with the order in which a lock names them', () => {
  const [first, ...others] = locks as [(typeof locks)[number], ...typeof locks];
  const turned = { ...first, packages: Object.fromEntries(Object.entries(first.packages).reverse()) };
  assert.equal(generateSbom([turned, ...others]), kept);
  const more = { ...first, packages: { ...first.packages, 'node_modules/planted': { version: '1.0.0' } } };
  assert.notEqual(generateSbom([more, ...others]), kept);
});
