import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NotedCall } from '@damask/contracts/audit.ts';
import { everywhere } from '#platform/call.ts';
import { systemClock } from '#platform/clock.ts';
import { createLog } from '#platform/log.ts';
import { createRedact } from '#platform/redact.ts';
import { createAuditNotes, type Seen } from './audit-notes.ts';
import { anyone } from './principal.ts';

const log = createLog({ level: 'error', clock: systemClock, write: () => undefined, redact: createRedact() });
const viewer = {
  workspace: '01a00000-0000-7000-8000-000000000001',
  actor: { kind: 'key', id: '01a00000-0000-7000-8000-000000000002', name: 'a viewer', role: 'viewer' },
  permissions: new Set(),
  reach: everywhere,
} as const;

function start() {
  const told: NotedCall[] = [];
  const state = { lost: 0, broken: false };
  const notes = createAuditNotes({
    identity: {
      async noteAudit(_, input) {
        if (state.broken) throw new Error('Identity is away');
        told.push(...input.notes);
        state.lost += input.lost;
        return {};
      },
    },
    clock: { ...systemClock, after: () => ({ cancel: () => undefined }) },
    log,
  });
  const see = (subject: string, more: Partial<Seen> = {}) =>
    notes.note({
      caller: viewer,
      action: 'deletePattern',
      subject,
      outcome: 'refused',
      code: 'forbidden',
      address: '192.0.2.1',
      requestId: systemClock.uuid(),
      ...more,
    });
  return { notes, told, state, see };
}

test('a caller who names ever new things gets a bounded number of rows, and all calls are counted', async () => {
  const { notes, told, see } = start();
  for (let i = 0; i < 10_000; i += 1) see(`pattern/p${i}`, { address: `192.0.2.${i % 250}` });
  await notes.flush();
  assert.equal(told.length, 51);
  assert.equal(
    told.reduce((sum, { count }) => sum + count, 0),
    10_000,
  );
  assert.equal(told.at(-1)?.subject, 'many');
});

test('strangers from many addresses get still fewer, and the others are counted as lost', async () => {
  const { notes, told, state, see } = start();
  for (let i = 0; i < 5_000; i += 1) see('/v1/keys', { caller: anyone, address: `198.51.100.${i % 250}` });
  await notes.flush();
  assert.equal(told.length, 20);
  assert.equal(told.reduce((sum, { count }) => sum + count, 0) + state.lost, 5_000);
});

test('while identity is away notes wait, and none is lost without a word', async () => {
  const { notes, told, state, see } = start();
  state.broken = true;
  see('pattern/a');
  see('pattern/b');
  await notes.flush();
  see('pattern/a');
  state.broken = false;
  await notes.flush();
  assert.equal(told.reduce((sum, { count }) => sum + count, 0) + state.lost, 3);
  assert.equal(state.lost, 0);
});
