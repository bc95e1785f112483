import type { Damask, Me } from '@damask/sdk';
import type { Spool } from './spool.ts';

/** What all sections are collected from. */
export interface Sources {
  readonly damask: Damask;
  readonly me: Me;
  readonly spool: Spool;
  /** RFC 3339, UTC. */
  readonly since: string;
  readonly until: string;
  /** When it was begun, as this machine's clock says. */
  readonly now: string;
  /** Keys that were not used for so many days are marked. */
  readonly staleDays: number;
}

/** One kind of evidence. What its caller may not read is left out as a whole, and named. */
export interface Section {
  readonly what: string;
  /** How the paths of its files begin. */
  readonly path: string;
  collect(sources: Sources): Promise<void>;
}

/** Rows of a period. */
export async function* within<Row>(
  rows: AsyncIterable<Row>,
  { since, until }: Pick<Sources, 'since' | 'until'>,
  timeOf: (row: Row) => string,
): AsyncGenerator<Row> {
  const [from, to] = [Date.parse(since), Date.parse(until)];
  for await (const row of rows) {
    const at = Date.parse(timeOf(row));
    if (at >= from && at < to) yield row;
  }
}

export const asJson = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
