import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { libraryForTests, longestHold } from './library-for-tests.ts';
import { importTree } from './import-tree.ts';
import { planImport } from './plan-import.ts';
import { applyImport } from './apply-import.ts';
const root = '/work/shared/fabric-library';
const files: {path: string; content: string}[] = [];
for (const name of readdirSync(root, { recursive: true }) as string[]) {
  const p = join(root, name);
  if (statSync(p).isFile()) files.push({ path: relative(root, p), content: readFileSync(p, 'utf8') });
}
const L = await libraryForTests();
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { writeRows } from './write-rows.ts';
const fakeTx: any = { query: async (t: string, v: any[]) => { const now = performance.now(); console.log('batch after', (now - last).toFixed(1), v[0].length); await new Promise((r) => setImmediate(r)); last = performance.now(); return []; } };
let last = performance.now();
import { insertVersions } from './version-store.ts';
{ const plan = await planImport(files); for (let i = 0; i < 2; i++) { last = performance.now(); await insertVersions(fakeTx, 'x', plan.patterns.map(({ content }, i) => ({ pattern: 'p', number: 1, content, message: null, source: { kind: 'import' as const }, created_at: '', created_by: null }))); } }

for (let i = 0; i < 3; i++) {
  const context = { ...L.alpha(), workspace: L.parts.clock.uuid() };
  let plan: any; let t = performance.now();
  const h1 = await longestHold(async () => { plan = await planImport(files); });
  const t1 = performance.now() - t; t = performance.now();
  const h2 = await longestHold(async () => { await applyImport(L.parts, context, plan, { action: 'importTree', source: { kind: 'import' }, onConflict: 'fail', dryRun: false }); });
  const t2 = performance.now() - t; t = performance.now();
  const h3 = await longestHold(async () => { await applyImport(L.parts, context, plan, { action: 'importTree', source: { kind: 'import' }, onConflict: 'fail', dryRun: false }); });
  console.log(`plan ${t1.toFixed(0)} ms hold ${h1.toFixed(1)}; apply ${t2.toFixed(0)} hold ${h2.toFixed(1)}; again ${(performance.now() - t).toFixed(0)} hold ${h3.toFixed(1)}`);
}
await L.stop();
process.exit(0);
