import type { CallContext } from '#platform/call.ts';

// Parsing a page of this size holds the event loop for about 2 ms.
const pageSize = 1_000;

interface Page<Row> {
  readonly items: readonly Row[];
  readonly next?: string;
}

type ReadPage<Row> = (context: CallContext, input: { after?: string; limit: number }) => Promise<Page<Row>>;

/** All pages of one of identity's tables, each row given to `take`. Throws when the pages do not move on. */
export async function readTable<Row>(
  context: CallContext,
  read: ReadPage<Row>,
  take: (row: Row) => void,
): Promise<void> {
  let after: string | undefined;
  do {
    const page = await read(context, { limit: pageSize, ...(after === undefined ? {} : { after }) });
    for (const row of page.items) take(row);
    if (page.next !== undefined && after !== undefined && page.next <= after) {
      throw new Error('The pages of a table do not move on');
    }
    after = page.next;
  } while (after !== undefined);
}
