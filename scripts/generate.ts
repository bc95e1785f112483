import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadCatalogue } from './contract-catalogue.ts';
import { generateReference } from './generate-reference.ts';
import { generateSbom } from './generate-sbom.ts';
import { generateSdk } from './generate-sdk.ts';
import { readPackageLocks } from './package-locks.ts';

const { values } = parseArgs({ options: { check: { type: 'boolean' }, into: { type: 'string' } } });
const root = values.into ? `${values.into}/` : fileURLToPath(new URL('..', import.meta.url));
const check = values.check === true;
const catalogue = await loadCatalogue();
const files = new Map([
  ['sdk/src/generated.ts', generateSdk(catalogue)],
  ...(await generateReference(catalogue)),
  ['docs/reference/sbom.cdx.json', generateSbom(readPackageLocks())],
]);

const stale: string[] = [];
for (const [name, text] of files) {
  const path = `${root}${name}`;
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  stale.push(name);
  if (check) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

if (!check) console.log(stale.length === 0 ? 'Everything generated is fresh.' : `Wrote ${stale.join(', ')}.`);
else if (stale.length > 0) {
  console.error(`Stale: ${stale.join(', ')}. Run \`npm run generate\` and commit what it writes.`);
  process.exitCode = 1;
}
