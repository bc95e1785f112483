import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { describeReport } from './describe-report.ts';
import { type FaultPlan, type FaultReport, runFaults } from './run-faults.ts';

const inject = (context: TestContext, plan: Partial<FaultPlan>) =>
  runFaults({ mode: 'each', minutes: 0, seed: 1, say: (line) => context.diagnostic(line), ...plan });

function assertKept(context: TestContext, report: FaultReport) {
  context.diagnostic(describeReport(report));
  assert.deepEqual([...report.wrong, ...report.broken], []);
  assert.equal(report.lost, 0);
  assert.equal(report.paidTwice, 0);
}

// At the same time: most of it is waiting.
suite('faults against real processes', { concurrency: 3 }, () => {
  test('each fault once loses no run and pays no call twice in silence', async (context) => {
    const report = await inject(context, { disk: true });
    assertKept(context, report);
    assert.ok(report.accepted > 500, `only ${report.accepted} runs`);
    for (const id of ['F01', 'F08', 'F12', 'F15', 'F17', 'F37', 'F42']) assert.ok(report.injected[id], `no ${id}`);
  });

  test('each fault of RabbitMQ once loses no run', async (context) => {
    const report = await inject(context, { rabbit: true, only: ['F29', 'F30', 'F31', 'F32'] });
    assertKept(context, report);
  });

  test('20 chains, and a process is killed every two seconds: all of them end, and no step is repeated', async (context) => {
    const report = await inject(context, { mode: 'chains', minutes: 0.4 });
    assertKept(context, report);
    assert.ok((report.injected.kill ?? 0) >= 4, 'hardly a kill');
  });

  for (const [planted, fault, load, name] of [
    ['nobody ends the runs of a dead process', 'F12', 'sync', 'I1'],
    ['answers before the commit', 'F12', 'async', 'I1'],
    ['nobody looks whose run it is', 'F08', 'async', 'I4'],
  ] as const) {
    test(`the harness notices by ${name} a server where ${planted}`, async (context) => {
      let seen = false;
      // What the bug spoils must be under way in the moment of the fault.
      for (let seed = 1; seed <= 3 && !seen; seed++) {
        const { broken } = await inject(context, { planted, only: [fault], load, settleWithin: 15_000, seed });
        context.diagnostic(`${broken.length} promises broken, such as: ${broken[0]}`);
        seen = broken.some((line) => line.startsWith(`${name} `));
      }
      assert.ok(seen);
    });
  }
});
