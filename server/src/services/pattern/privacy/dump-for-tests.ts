import { withConnection } from '#platform/database/own-connection.ts';
import type { TestPlatform } from '../../../testing/test-platform.ts';
import { patternSealedColumns } from '../sealed-columns.ts';
import { createSubjectKeys, isOfSubject } from './subject-keys.ts';

type Row = Record<string, unknown> & { readonly workspace: string };

export interface Dump {
  /** Tables in which a text is found, as it is or encoded, after all was decrypted that the present keys open. */
  find(text: string): string[];
  /** Sealed values that the present keys do not open, as `table column`. */
  readonly unreadable: readonly string[];
  /** What was sealed, opened. */
  readonly opened: readonly { readonly column: string; readonly content: Buffer }[];
}

/** All rows of all tables, with what is sealed opened. */
export async function dumpTables({ connection, floor }: Pick<TestPlatform, 'connection' | 'floor'>): Promise<Dump> {
  const texts: { readonly table: string; readonly text: string }[] = [];
  const unreadable: string[] = [];
  const openedValues: Dump['opened'][number][] = [];
  const keys = createSubjectKeys({ database: floor.database, vault: floor.vault, clock: floor.clock });
  await withConnection(connection, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      `select table_schema || '.' || table_name as name from information_schema.tables as t
        where table_schema in ('pattern', 'identity', 'platform') and table_type = 'BASE TABLE'
          and not exists (select from pg_inherits where inhrelid = (table_schema || '.' || quote_ident(table_name))::regclass)`,
    );
    for (const { name: table } of tables) {
      const { rows } = await client.query<Row>(`select * from ${table}`);
      for (const row of rows) {
        texts.push({ table, text: JSON.stringify(row) });
        for (const sealed of patternSealedColumns) {
          const { column, key, place } = sealed;
          const value = row[column];
          if (sealed.table !== table || !Buffer.isBuffer(value)) continue;
          try {
            const fields = Object.fromEntries(Object.keys(key).map((name) => [name, String(row[name])]));
            const opened = await floor.vault.open(row.workspace, place(fields), value);
            const own = column === 'payload' && table === 'pattern.finished' && isOfSubject(opened);
            const plain = own ? await keys.open(row.workspace, String(row.id), opened) : opened;
            texts.push({ table, text: plain.toString('utf8') });
            openedValues.push({ column: `${table}.${column}`, content: plain });
          } catch {
            unreadable.push(`${table} ${column}`);
          }
        }
      }
    }
  });
  return {
    unreadable,
    opened: openedValues,
    find(text) {
      const forms = [text, Buffer.from(text).toString('base64').replace(/=+$/, ''), Buffer.from(text).toString('hex')];
      const hits = texts.filter(({ text: held }) => forms.some((form) => held.includes(form)));
      return [...new Set(hits.map(({ table }) => table))].sort();
    },
  };
}
