import type { Page } from './generated.ts';

/** Walks a list to its end, page by page as the loop asks for more. */
export async function* allItems<Row>(
  list: (cursor: string | undefined) => Promise<Page<Row>>,
): AsyncGenerator<Row, void, undefined> {
  let cursor: string | undefined;
  do {
    const { items, next } = await list(cursor);
    yield* items;
    cursor = next;
  } while (cursor !== undefined);
}
