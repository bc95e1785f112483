import { test } from 'node:test';
import { runOnDatabaseOf } from './external-database.ts';

for (const attributes of ['nocreaterole', 'createrole', 'createrole noinherit']) {
  test(`the platform runs on the database of a user with ${attributes}, twice, and keeps workspaces apart`, () =>
    runOnDatabaseOf(attributes));
}
