import { describe, expect, test } from 'vitest';
import { detection, pacingOf, readmission, worstCase } from '../../../src/balancer/timing.ts';

const clb = { intervalMs: 2_000, timeoutMs: 5_000, rise: 3, fall: 3 };
const once = { intervalMs: 1_000, timeoutMs: 200, rise: 1, fall: 1 };

describe('health-check timing', () => {
  test.each([
    { name: 'a crash is refused at once', span: detection(clb, 'refused'), want: [4_000, 6_000] },
    { name: 'silence costs the timeout as well', span: detection(clb, 'silent'), want: [9_000, 11_000] },
    {
      name: 'haproxy waits its interval after the end of a check',
      span: detection(clb, 'silent', pacingOf('proxy')),
      want: [19_000, 21_000],
    },
    { name: 'which a crash does not notice', span: detection(clb, 'refused', 'after-end'), want: [4_000, 6_000] },
    { name: 'the way back', span: readmission(clb), want: [4_000, 11_000] },
    { name: 'with thresholds of one a check may come at once', span: detection(once, 'refused'), want: [0, 1_000] },
    { name: 'and so may the way back', span: readmission(once), want: [0, 1_200] },
  ])('$name', ({ span, want }) => expect([span.atLeast, span.atMost]).toEqual(want));

  test('worstCase() is interval × threshold + timeout', () => {
    expect(worstCase({ ...clb, rise: 2 })).toEqual({ ejectMs: 11_000, readmitMs: 9_000 });
  });
});
