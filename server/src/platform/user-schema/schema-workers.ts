import type { Clock } from '../clock.ts';
import { createJobThread } from '../job-thread.ts';
import type { UserSchema } from './check-by-schema.ts';
import type { SchemaAnswer, SchemaRequest } from './schema-worker.ts';

export interface SchemaWorkers {
  /** Parses the text and checks it; a check that takes too long is a problem of its own. Rejects with `overloaded`, `unavailable`. */
  check(text: string, schema: UserSchema | null): Promise<SchemaAnswer>;
  close(): Promise<void>;
}

export interface SchemaWorkersOptions {
  readonly clock: Clock;
  /** Milliseconds that one check may take; 250 by default. */
  readonly within?: number;
  /** Checks that may wait; 1,000 by default. */
  readonly queue?: number;
}

/** One thread for schemas and texts that strangers wrote. */
export function createSchemaWorkers({ clock, within = 250, queue = 1_000 }: SchemaWorkersOptions): SchemaWorkers {
  const thread = createJobThread<SchemaRequest, SchemaAnswer>({
    clock,
    file: new URL('./schema-worker.ts', import.meta.url),
    within,
    queue,
    tooMuch: { ok: false, problems: [{ pointer: '', detail: 'takes too much to be checked against its schema' }] },
    busy: 'Too many answers are being checked. Send it again in a moment.',
  });
  return { check: (text, schema) => thread.do({ text, schema }), close: () => thread.close() };
}
