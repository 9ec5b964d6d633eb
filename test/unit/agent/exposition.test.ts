import { expect, test } from 'vitest';
import { counter, exposition, gauge, histogram } from '../../../src/agent/metrics/exposition.ts';

test('counters, gauges and histograms as Prometheus reads them', () => {
  const all = counter<'to'>('a_total', 'Things.', true);
  all.add({ to: 'x' });
  all.add({ to: 'x' }, 2);
  all.add({ to: 'say "no"\\\n' });
  const one = gauge('b', 'With a \\ and\na second line.');
  const many = gauge<'backend'>('c', 'Some.', true);
  many.set({ backend: 'm1' }, 1);
  many.clear();
  many.set({ backend: 'm2' }, Number.NaN);
  const times = histogram<'backend'>('d_seconds', 'Times.', [0.1, 1]);
  for (const seconds of [0.1, 0.5, 7]) times.observe({ backend: 'm1' }, seconds);
  expect(exposition([all, one, many, times])).toBe(`# HELP a_total Things.
# TYPE a_total counter
a_total{to="x"} 3
a_total{to="say \\"no\\"\\\\\\n"} 1

# HELP b With a \\\\ and\\na second line.
# TYPE b gauge
b 0

# HELP c Some.
# TYPE c gauge
c{backend="m2"} NaN

# HELP d_seconds Times.
# TYPE d_seconds histogram
d_seconds_bucket{le="0.1",backend="m1"} 1
d_seconds_bucket{le="1",backend="m1"} 2
d_seconds_bucket{le="+Inf",backend="m1"} 3
d_seconds_sum{backend="m1"} 7.6
d_seconds_count{backend="m1"} 3
`);
});
