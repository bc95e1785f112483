import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KillPlan, killUnderLoad } from './kill-harness.ts';

const both = (count: number): KillPlan['kills'] =>
  Array.from({ length: count }, (_, i) => (i % 2 === 0 ? 'server and database' : 'server'));

test('20 kills of server and database under load lose no run and repeat no call', async (context) => {
  const report = await killUnderLoad({
    fault: 'none',
    kills: both(20),
    loadMs: 1_800,
    clients: 48,
    say: (line) => context.diagnostic(line),
  });
  const slowest = Math.min(...report.rates);
  context.diagnostic(
    `${report.compared} ids compared, ${report.faults.length} faults, ${report.interrupted} ended as interrupted`,
  );
  context.diagnostic(
    `${report.shadowCalls} calls went out without a record that survived, in ${report.rates.length} kills`,
  );
  context.diagnostic(`at least ${slowest} runs/s before each kill`);
  assert.deepEqual(report.faults, []);
  assert.ok(report.compared >= 5_000, `only ${report.compared} ids`);
  assert.ok(slowest >= 200, `only ${slowest} runs/s at a kill`);
  // One group at most can be on its way at each kill.
  assert.ok(report.shadowCalls <= report.rates.length * 256);
});

test('10 kills under requests with keys: each is one run and one call at most, and hears how it ended', async (context) => {
  const report = await killUnderLoad({
    fault: 'none',
    keyed: true,
    kills: both(10),
    loadMs: 1_500,
    clients: 32,
    say: (line) => context.diagnostic(line),
  });
  context.diagnostic(`${report.compared} keys compared, ${report.interrupted} ended as interrupted`);
  assert.deepEqual(report.faults, []);
  // The claim is committed before the call goes out, so no call is without a record.
  assert.equal(report.shadowCalls, 0);
  assert.ok(report.interrupted > 0, 'no kill met a run');
  assert.ok(report.compared > 3 * report.interrupted, 'most runs must end well');
});

test('10 kills under queued runs: each that was accepted ends once, and no call is repeated unasked', async (context) => {
  const report = await killUnderLoad({
    fault: 'none',
    queued: true,
    kills: both(10),
    loadMs: 1_500,
    clients: 32,
    say: (line) => context.diagnostic(line),
  });
  context.diagnostic(`${report.compared} runs compared, ${report.interrupted} ended as interrupted`);
  assert.deepEqual(report.faults, []);
  // Acceptance and intent are committed before the call goes out.
  assert.equal(report.shadowCalls, 0);
  assert.ok(report.compared > 5 * report.interrupted, 'most runs must end well');
});

for (const [fault, kind] of [
  ['answers before the commit', 'server'],
  ['the database does not wait for its disk', 'server and database'],
  ['nobody ends the runs of a dead process', 'server'],
  ['keys mean nothing', 'server'],
] as const) {
  test(`the harness notices a server where ${fault}`, async (context) => {
    const report = await killUnderLoad({
      fault,
      keyed: fault === 'keys mean nothing',
      kills: [kind, kind],
      loadMs: 1_200,
      clients: 48,
      say: (line) => context.diagnostic(line),
    });
    context.diagnostic(`${report.faults.length} faults, such as: ${report.faults[0]}`);
    assert.ok(report.faults.length > 0);
  });
}
