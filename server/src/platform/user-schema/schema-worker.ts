import { parentPort } from 'node:worker_threads';
import { closeOtherWays } from '../egress/close-other-ways.ts';
import { checkBySchema, type UserSchema, type ValueProblem } from './check-by-schema.ts';

closeOtherWays();

/** To the worker: a text that must be JSON and fit the schema; null: any JSON. */
export interface SchemaRequest {
  readonly text: string;
  readonly schema: UserSchema | null;
}

/** From the worker, once: it has loaded and can check. */
export type Loaded = 'loaded';

/** From the worker. */
export type SchemaAnswer =
  | { readonly ok: true; readonly data: unknown }
  | { readonly ok: false; readonly problems: readonly ValueProblem[] };

const port = parentPort;
if (port === null) throw new Error('schema-worker.ts is started as a worker thread only');
port.postMessage('loaded' satisfies Loaded);
port.on('message', ({ text, schema }: SchemaRequest) => port.postMessage(answer(text, schema)));

function answer(text: string, schema: UserSchema | null): SchemaAnswer {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    return { ok: false, problems: [{ pointer: '', detail: `is not JSON: ${(error as Error).message.slice(0, 200)}` }] };
  }
  if (isTooDeep(data)) return { ok: false, problems: [{ pointer: '', detail: `is nested more than ${deepest} deep` }] };
  if (schema === null) return { ok: true, data };
  try {
    const problems = checkBySchema(schema, data);
    return problems.length === 0 ? { ok: true, data } : { ok: false, problems };
  } catch (error) {
    return { ok: false, problems: [{ pointer: '', detail: (error as Error).message.slice(0, 200) }] };
  }
}

/** Whoever walks through a value by calling itself must get to its end. */
const deepest = 100;

function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) return true;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return false;
}
