import type { Transaction } from '#platform/database/database.ts';

const rowsAtOnce = 100;
const charactersAtOnce = 64 * 1024;

// A text that was cut short may end in half a character, which the database refuses.
const wellFormed = (_: string, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value);

/**
 * Runs `statement` over rows given as JSON in `$1`. Cut into batches, so that neither building one holds the event loop for long
 * nor one row costs a round trip. Rows are taken from the iterable as they are needed.
 */
export async function writeRows(transaction: Transaction, statement: string, rows: Iterable<object>): Promise<void> {
  let batch: string[] = [];
  let characters = 0;
  for (const row of rows) {
    const text = JSON.stringify(row, wellFormed);
    if (batch.length === rowsAtOnce || (batch.length > 0 && characters + text.length > charactersAtOnce)) {
      await transaction.query(statement, [`[${batch.join(',')}]`]);
      batch = [];
      characters = 0;
    }
    batch.push(text);
    characters += text.length;
  }
  if (batch.length > 0) await transaction.query(statement, [`[${batch.join(',')}]`]);
}
