import { type EventData, type EventName, events } from '@damask/contracts/events.ts';
import type { CallContext } from './call.ts';
import type { Carrier } from './carrier/carrier.ts';
import type { Clock, Timer } from './clock.ts';
import type { Database, Transaction } from './database/database.ts';
import type { Log } from './log.ts';

export interface StoredEvent<Name extends EventName = EventName> {
  readonly id: string;
  readonly workspace: string;
  readonly at: Date;
  readonly name: Name;
  readonly version: number;
  readonly data: EventData<Name>;
}

/** An event that is to be said. */
export type NewEvent = { [Name in EventName]: { readonly name: Name; readonly data: EventData<Name> } }[EventName];

/** Writes events in the caller's transaction: they are said if and only if the change commits. All belong to one service. */
export async function appendEvents(
  transaction: Transaction,
  clock: Clock,
  context: CallContext,
  list: readonly NewEvent[],
): Promise<void> {
  const [first] = list;
  if (!first) return;
  const service = first.name.slice(0, first.name.indexOf('.'));
  const rows = list.map(({ name, data }) => ({ id: clock.uuid(), name, version: events[name].version, data }));
  await transaction.query(
    `insert into ${service}.outbox (workspace, id, name, version, data, request_id)
     select $1, id, name, version, data, $2 from json_to_recordset($3) as given(id uuid, name text, version int, data jsonb)`,
    [context.workspace, context.requestId, JSON.stringify(rows)],
  );
  transaction.announce(newsOf(service));
}

/** What is announced when a service's outbox has news. */
const newsOf = (service: string) => `outbox.${service}`;

export interface EventReader {
  readonly consumer: string;
  /** The service whose outbox is read. */
  readonly source: string;
  /** Must be idempotent: after a crash the last events come again. */
  handle(event: StoredEvent): Promise<void>;
}

interface Position {
  readonly xact: string;
  readonly id: string;
}

// A restore may have moved numbers of transactions below zero.
const start: Position = { xact: '-9223372036854775808', id: '00000000-0000-0000-0000-000000000000' };
const pageSize = 100;

/**
 * Reads on from the consumer's cursor, in commit order, until nothing is left. Answers how many events it handled.
 * Only transactions below the oldest running one are read: what commits later always sorts behind the cursor.
 */
export async function readOn(database: Database, reader: EventReader): Promise<number> {
  let handled = 0;
  for (;;) {
    const page = await readPage(database, reader);
    for (const event of page) {
      await reader.handle(event);
      await savePosition(database, reader, { xact: event.xact, id: event.id });
      handled += 1;
    }
    if (page.length < pageSize) return handled;
  }
}

/**
 * Reads until everything is handled that was committed before the call. That waits for transactions that are older still,
 * for `within` milliseconds at most; what is left then comes with a later pass.
 */
export async function catchUpWith(
  database: Database,
  reader: EventReader,
  clock: Clock,
  within: number,
): Promise<void> {
  const until = clock.monotonic() + within;
  const newest = await readNewest(database, reader.source);
  while (newest) {
    await readOn(database, reader);
    const reached = await database.transaction({ role: 'platform', workspace: null }, (transaction) =>
      transaction.query(
        'select from platform.cursor where consumer = $1 and source = $2 and (xact, id) >= ($3::bigint, $4::uuid)',
        [reader.consumer, reader.source, newest.xact, newest.id],
      ),
    );
    if (reached.length > 0 || clock.monotonic() > until) return;
    await clock.sleep(20);
  }
}

function readNewest(database: Database, source: string): Promise<Position | undefined> {
  return database.transaction({ role: 'platform', workspace: null }, async (transaction) => {
    const [row] = await transaction.query<Position>(
      `select xact::text, id from ${source}.outbox order by xact desc, id desc limit 1`,
    );
    return row;
  });
}

function readPage(database: Database, { consumer, source }: EventReader) {
  return database.transaction({ role: 'platform', workspace: null }, async (transaction) => {
    const [saved] = await transaction.query<Position>(
      'select xact::text, id from platform.cursor where consumer = $1 and source = $2',
      [consumer, source],
    );
    const { xact, id } = saved ?? start;
    return transaction.query<StoredEvent & Position>(
      `select id, xact::text, workspace, at, name, version, data from ${source}.outbox
        where (xact, id) > ($1::bigint, $2::uuid)
          and xact < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
        order by xact, id limit ${pageSize}`,
      [xact, id],
    );
  });
}

function savePosition(database: Database, { consumer, source }: EventReader, { xact, id }: Position) {
  return database.transaction({ role: 'platform', workspace: null }, (transaction) =>
    transaction.query(
      `insert into platform.cursor (consumer, source, xact, id) values ($1, $2, $3, $4)
       on conflict (consumer, source) do update set xact = excluded.xact, id = excluded.id
        where (platform.cursor.xact, platform.cursor.id) < (excluded.xact, excluded.id)`,
      [consumer, source, xact, id],
    ),
  );
}

/**
 * Keeps readers up to date: a pass each second, `first` being the first, and one when there is word of news. A failing event is
 * tried again and never skipped.
 */
export function startEventReaders(options: {
  database: Database;
  readers: readonly EventReader[];
  carrier: Pick<Carrier, 'subscribe'>;
  clock: Clock;
  log: Log;
}): { first: Promise<void>; stop(): Promise<void> } {
  const { database, readers, carrier, clock, log } = options;
  let stopped = false;
  let timer: Timer | undefined;
  let running: Promise<void> = Promise.resolve();
  let passing = false;
  let again = false;
  const failing = new Set<string>();
  const pass = async () => {
    passing = true;
    again = false;
    for (const reader of readers) {
      const { consumer } = reader;
      await readOn(database, reader).then(
        () => failing.delete(consumer),
        (error: unknown) => {
          // Once, not each second for as long as it lasts.
          if (!failing.has(consumer)) log.warn('An event could not be handled; it is tried again', { consumer, error });
          failing.add(consumer);
        },
      );
    }
    passing = false;
    if (!stopped) timer = clock.after(again ? 0 : 1_000, next);
  };
  const next = () => {
    running = pass();
  };
  const hear = () => {
    again = true;
    if (stopped || passing) return;
    timer?.cancel();
    next();
  };
  next();
  for (const { source, consumer } of readers) carrier.subscribe(newsOf(source), consumer, hear);
  return {
    first: running,
    async stop() {
      stopped = true;
      timer?.cancel();
      await running;
    },
  };
}
