import { libraryForTests } from './library-for-tests.ts';
import { createLibraryTable } from './library-table.ts';
import * as ps from './pattern-store.ts';
import * as ts from './table-store.ts';
const L = await libraryForTests();
await L.sql(`alter table pattern.pattern disable trigger all`);
await L.sql(`create temp table w as select gen_random_uuid() as workspace, n from generate_series(1, 200) n`);
await L.sql(`insert into pattern.file select workspace, 'sha256:' || i, repeat('text ' || i, 400) from w, generate_series(1, 200) i`);
await L.sql(`insert into pattern.pattern (workspace,id,name,latest,source_kind,created_at,updated_at,xact) select workspace, gen_random_uuid(), 'name_' || i, 1, 'api', now(), now(), n from w, generate_series(1, 200) i`);
await L.sql(`insert into pattern.version select workspace, id, 1, 'd', 'd', '[]', 'sha256:' || substr(name, 6), null, 'api', null, 'Title', 'Description', '{}', null, '{}', '[]', '{}', '{}', now(), null from pattern.pattern`);
await L.sql(`alter table pattern.pattern enable trigger all`);
await L.sql(`analyze`);
const [{ workspace }] = await L.sql<any>('select workspace from w limit 1');
const explain = async (scope: any, call: (tx: any) => Promise<any>) => {
  await L.database.transaction(scope, async (tx) => {
    await call({ query: async (text: string, values: any) => {
      const rows = await tx.query<any>(`explain (analyze, costs off, timing off, summary on) ${text}`, values);
      console.log(rows.map((r: any) => r['QUERY PLAN']).join('\n'), '\n');
      return [];
    } }).catch(() => {});
  });
};
const svc = { role: 'pattern', workspace };
console.log('--- find'); await explain(svc, (tx) => ps.findPattern(tx, 'name_7'));
console.log('--- list'); await explain(svc, (tx) => ps.listPatterns(tx, { deleted: false, search: undefined, tag: undefined, after: null, limit: 51 }));
console.log('--- list after'); await explain(svc, (tx) => ps.listPatterns(tx, { deleted: false, search: 'titl%', tag: undefined, after: ['name_5', workspace], limit: 51 }));
console.log('--- changes'); await explain({ role: 'platform', workspace: null }, (tx) => ts.readPatternChanges(tx, { since: '190', after: undefined, livingOnly: false, limit: 200 }));
const before = process.memoryUsage().heapUsed;
const table = createLibraryTable({ database: L.database, log: L.log });
let t = performance.now(); await table.load(); console.log('full load ms', performance.now() - t, 'MB', (process.memoryUsage().heapUsed - before) / 1e6);
t = performance.now(); await table.load(); console.log('incremental ms', performance.now() - t);
await L.stop(); process.exit(0);
