import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from './metrics.ts';

test('counters and histograms are written in the text format of Prometheus, each series by its labels', async () => {
  const metrics = createMetrics();
  const runs = metrics.counter('damask_test_total', 'Tests', ['status', 'code']);
  runs.of('ok', 'none').add();
  runs.of('ok', 'none').add(2);
  runs.of('bad', 'a "quote"\n\\').add();
  const plain = metrics.counter('damask_plain_total', 'No labels').of();
  plain.add(0.5);
  const times = metrics.histogram('damask_test_seconds', 'Times', ['kind'], [0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 7]) times.of('x').observe(value);
  metrics.gauge('damask_gauge', 'Now', () => 42);
  const lines = (await metrics.text()).split('\n');
  for (const line of [
    '# TYPE damask_test_total counter',
    'damask_test_total{status="ok",code="none"} 3',
    'damask_test_total{status="bad",code="a \\"quote\\"\\n\\\\"} 1',
    'damask_plain_total 0.5',
    '# TYPE damask_test_seconds histogram',
    'damask_test_seconds_bucket{kind="x",le="0.1"} 2',
    'damask_test_seconds_bucket{kind="x",le="1"} 3',
    'damask_test_seconds_bucket{kind="x",le="+Inf"} 4',
    'damask_test_seconds_sum{kind="x"} 7.65',
    'damask_test_seconds_count{kind="x"} 4',
    'damask_gauge 42',
  ])
    assert.ok(lines.includes(line), line);
  assert.ok(lines.some((line) => line.startsWith('process_cpu_seconds_total ')));
});
