import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCron } from './cron-schedule.ts';
import { findDueTicks } from './due-ticks.ts';

const at = (time: string) => Date.parse(`2026-11-23T${time}Z`);
const hourly = readCron('0 * * * *', 'UTC');

function due(missed: 'skip' | 'last' | 'all', from: string, now: string, endsAt: string | null = null) {
  const found = findDueTicks(hourly, { from: at(from), endsAt: endsAt === null ? null : at(endsAt), missed }, at(now));
  const show = (time: number) => new Date(time).toISOString().slice(11, 16);
  return {
    fired: found.ticks.filter(({ fire }) => fire).map((tick) => show(tick.at)),
    missed: found.ticks.filter(({ fire }) => !fire).map((tick) => show(tick.at)),
    next: found.next === null ? null : show(found.next),
  };
}

test('a tick on time is fired under every policy', () => {
  for (const missed of ['skip', 'last', 'all'] as const) {
    assert.deepEqual(due(missed, '08:00:00', '08:00:01'), { fired: ['08:00'], missed: [], next: '09:00' });
  }
});

test('after a silence none, the newest or all are fired', () => {
  const silence = ['05:00:00', '08:20:00'] as const;
  assert.deepEqual(due('skip', ...silence), { fired: [], missed: ['05:00', '06:00', '07:00', '08:00'], next: '09:00' });
  assert.deepEqual(due('last', ...silence), {
    fired: ['08:00'],
    missed: ['05:00', '06:00', '07:00'],
    next: '09:00',
  });
  assert.deepEqual(due('all', ...silence), { fired: ['05:00', '06:00', '07:00', '08:00'], missed: [], next: '09:00' });
});

test('of the ticks after a silence the newest is still on time where it has just come', () => {
  assert.deepEqual(due('skip', '07:00:00', '08:00:30'), { fired: ['08:00'], missed: ['07:00'], next: '09:00' });
});

test('of a silence of weeks the newest hundred ticks are kept', () => {
  const minutes = readCron('* * * * *', 'UTC');
  const found = findDueTicks(
    minutes,
    { from: at('08:00:00') - 30 * 86_400_000, endsAt: null, missed: 'all' },
    at('08:00:00'),
  );
  assert.equal(found.ticks.length, 100);
  assert.equal(found.ticks.at(-1)?.at, at('08:00:00'));
});

test('a timer ends with its last tick', () => {
  assert.deepEqual(due('last', '08:00:00', '08:00:01', '08:30:00'), { fired: ['08:00'], missed: [], next: null });
  assert.deepEqual(due('last', '08:00:00', '12:00:00', '09:00:00'), {
    fired: ['09:00'],
    missed: ['08:00'],
    next: null,
  });
});
