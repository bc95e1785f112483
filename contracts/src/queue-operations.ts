import { type Static, Type } from 'typebox';
import { strict } from './field.ts';
import { type Operations, operation } from './operation.ts';

/** More are not counted. */
export const mostCounted = 200_000;

const Count = Type.Integer({ description: `At most ${mostCounted.toLocaleString('en-US')} runs are counted in all.` });

/** What of a workspace is queued, and how much of it may be executed at once. */
export const Queue = Type.Object({
  interactive: Count,
  bulk: Count,
  running: Count,
  waiting: Type.Integer({ description: 'For a person.' }),
  concurrency: Type.Union([Type.Integer(), Type.Null()], {
    description: 'Queued runs that are executed at the same time, in all processes; null: what the platform allows.',
  }),
});
export type Queue = Static<typeof Queue>;

export const queueOperations = {
  readQueue: operation({
    method: 'GET',
    path: '/v1/queue',
    permission: 'run:read',
    summary: 'How many runs of the workspace are queued, running and waiting, and its limit',
    input: strict({}),
    output: Queue,
    status: 200,
    errors: [],
  }),
  putQueue: operation({
    method: 'PUT',
    path: '/v1/queue',
    permission: 'budget:write',
    summary: 'Limit how many queued runs of the workspace are executed at the same time',
    input: strict({
      concurrency: Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000 }), Type.Null()], {
        description: 'Null: what the platform allows.',
      }),
    }),
    output: Queue,
    status: 200,
    errors: [],
  }),
} satisfies Operations;
