import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '#platform/app-error.ts';
import { readCron } from './cron-schedule.ts';

const at = (text: string) => Date.parse(text);
const said = (times: readonly number[]) => times.map((time) => new Date(time).toISOString().slice(0, 16));

function ticks(cron: string, zone: string, from: string, count: number): string[] {
  const schedule = readCron(cron, zone);
  const found: number[] = [];
  for (let time = at(from); found.length < count; ) {
    const next = schedule.next(time);
    if (next === null) break;
    found.push(next);
    time = next;
  }
  return said(found);
}

test('a time of the day moves with the summer time of its zone', () => {
  assert.deepEqual(ticks('0 9 * * 1-5', 'Europe/Berlin', '2026-03-27T12:00:00Z', 2), [
    '2026-03-30T07:00',
    '2026-03-31T07:00',
  ]);
});

test('a time that the clocks skip ticks when they have moved, and one that comes twice ticks once', () => {
  assert.deepEqual(ticks('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2), [
    '2026-03-29T01:00',
    '2026-03-30T00:30',
  ]);
  assert.deepEqual(ticks('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2), [
    '2026-10-25T00:30',
    '2026-10-26T01:30',
  ]);
});

test('the 29th of February is found years ahead, and a day that no month has never', () => {
  assert.deepEqual(ticks('0 0 29 2 *', 'UTC', '2026-11-23T00:00:00Z', 2), ['2028-02-29T00:00', '2032-02-29T00:00']);
  assert.equal(readCron('0 0 30 2 *', 'UTC').next(at('2026-11-23T00:00:00Z')), null);
});

test('where both days are given, either suffices', () => {
  assert.deepEqual(ticks('0 0 13 * 5', 'UTC', '2026-12-10T00:00:00Z', 3), [
    '2026-12-11T00:00',
    '2026-12-13T00:00',
    '2026-12-18T00:00',
  ]);
});

test('of the ticks between two times the newest are told, both ends included', () => {
  const quarterly = readCron('*/15 * * * *', 'UTC');
  const from = at('2026-11-23T08:00:00Z');
  assert.deepEqual(said(quarterly.between(from, at('2026-11-23T08:30:00Z'), 100)), [
    '2026-11-23T08:00',
    '2026-11-23T08:15',
    '2026-11-23T08:30',
  ]);
  assert.deepEqual(said(quarterly.between(from, at('2026-11-23T08:30:00Z'), 2)), [
    '2026-11-23T08:15',
    '2026-11-23T08:30',
  ]);
  assert.deepEqual(quarterly.between(from + 1, at('2026-11-23T08:14:59Z'), 100), []);
});

test('what cannot be read is refused with the field', () => {
  const cases: readonly [cron: string, zone: string, pointer: string][] = [
    ['61 * * * *', 'UTC', '/cron'],
    ['* * * * * *', 'UTC', '/cron'],
    ['*/0 * * * *', 'UTC', '/cron'],
    ['5-1 * * * *', 'UTC', '/cron'],
    ['2026-12-01T00:00:00', 'UTC', '/cron'],
    ['@reboot', 'UTC', '/cron'],
    ['tomorrow', 'UTC', '/cron'],
    [' ', 'UTC', '/cron'],
    ['* * * * *', 'Mars/Olympus', '/time_zone'],
    ['* * * * *', '+02:00', '/time_zone'],
  ];
  for (const [cron, zone, pointer] of cases) {
    assert.throws(
      () => readCron(cron, zone),
      (error) => error instanceof AppError && error.code === 'invalid_request' && error.details.pointer === pointer,
      `${cron} in ${zone}`,
    );
  }
});
