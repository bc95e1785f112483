import { test } from 'node:test';
import { runOnDatabaseOf } from './external-database.ts';

// external-database.deep.test.ts takes users with other attributes.
test('the platform runs on the database of an ordinary user, twice, and keeps workspaces apart', () =>
  runOnDatabaseOf('nocreaterole'));
