import { expect, test } from 'vitest';
import { type Seen, staleAfterMs, verdictOf } from '../../../src/agent/mirror/verdict.ts';

const now = 100_000;
const at = now - 40;

test.each<{ seen: Seen; drained?: boolean; ready: boolean; because: string }>([
  { seen: { is: 'never' }, ready: false, because: 'the apiserver has not answered yet' },
  { seen: { is: 'ready', at }, ready: true, because: '/readyz of the apiserver said yes, 40 ms ago' },
  { seen: { is: 'ready', at }, drained: true, ready: false, because: 'this node is drained' },
  { seen: { is: 'not-ready', at }, ready: false, because: '/readyz of the apiserver said no, 40 ms ago' },
  { seen: { is: 'silent', why: 'no', at }, ready: false, because: 'no, 40 ms ago' },
  {
    seen: { is: 'ready', at: now - staleAfterMs - 1 },
    ready: false,
    because: 'the last answer of the apiserver was 4001 ms ago',
  },
  {
    seen: { is: 'alive', at, prober: undefined },
    ready: true,
    because: 'the apiserver answers, and wants a certificate for /readyz, 40 ms ago',
  },
  {
    seen: { is: 'alive', at, prober: 'ready' },
    ready: true,
    because: 'the apiserver answers, and the agent says ready, 40 ms ago',
  },
  {
    seen: { is: 'alive', at, prober: 'not-ready' },
    ready: false,
    because: 'the agent says not ready, 40 ms ago',
  },
])('$because', ({ seen, drained = false, ready, because }) => {
  expect(verdictOf(seen, drained, now)).toEqual({ ready, because });
});
