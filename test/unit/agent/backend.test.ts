import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Backend, deadAfterMs, type Evidence, newBackend, observe } from '../../../src/agent/backend/backend.ts';
import { patience } from '../../../src/agent/backend/rtt.ts';

/** Feeds evidence in order and gives one line per change of state: `1200 ready → suspect`, with `!` where flows die. */
function story(evidence: readonly Evidence[], from: Backend = newBackend(0)): { backend: Backend; lines: string[] } {
  const lines: string[] = [];
  let backend = from;
  for (const seen of evidence) {
    const next = observe(backend, seen);
    if (next.backend.state !== backend.state) {
      lines.push(`${seen.at} ${backend.state} → ${next.backend.state}${next.destroyFlows ? ' !' : ''}`);
    }
    backend = next.backend;
  }
  return { backend, lines };
}

/** A backend that has answered every 100 ms and said ready each second, from 0 to `until`. */
const healthy = (from: number, until: number): Evidence[] =>
  Array.from({ length: (until - from) / 100 }, (_, i) => from + i * 100).flatMap((at): Evidence[] => [
    { is: 'asked', at },
    { is: 'answered', at: at + 1, rttMs: 1 },
    ...(at % 1000 === 0 ? [{ is: 'readyz', at: at + 2, ok: true } as const] : []),
    { is: 'tick', at: at + 50, othersHeardAt: at + 1 },
  ]);

/** Questions and ticks without an answer, while the others go on speaking (or not). */
const silence = (from: number, until: number, others = true): Evidence[] =>
  Array.from({ length: (until - from) / 100 }, (_, i) => from + i * 100).flatMap((at): Evidence[] => [
    { is: 'asked', at },
    { is: 'tick', at: at + 60, othersHeardAt: others ? at + 1 : from },
  ]);

describe('observe()', () => {
  test.each<{ name: string; evidence: Evidence[]; lines: string[] }>([
    { name: 'the first yes makes it ready', evidence: healthy(0, 3000), lines: ['2 unknown → ready'] },
    {
      name: 'a crash: end of stream, refused redial, flows destroyed once',
      evidence: [
        ...healthy(0, 1000),
        { is: 'ended', at: 1001 },
        { is: 'refused', at: 1002 },
        { is: 'refused', at: 1102 },
        ...silence(1200, 6000),
      ],
      lines: ['2 unknown → ready', '1002 ready → failed !'],
    },
    {
      name: 'a hang: suspect after 50 ms, dead after three seconds',
      evidence: [...healthy(0, 1000), ...silence(1000, 5000)],
      lines: ['2 unknown → ready', '1060 ready → suspect', '4060 suspect → failed !'],
    },
    {
      name: 'everybody silent: the trouble is ours, nobody dies',
      evidence: [...healthy(0, 1000), ...silence(1000, 9000, false)],
      lines: ['2 unknown → ready', '1060 ready → suspect'],
    },
    {
      name: 'a graceful end of stream with a quick redial changes nothing',
      evidence: [
        ...healthy(0, 1000),
        { is: 'ended', at: 1001 },
        { is: 'answered', at: 1009, rttMs: 8 },
        ...healthy(1100, 3000),
      ],
      lines: ['2 unknown → ready'],
    },
    {
      name: 'one overdue answer: suspect, and back after three timely ones',
      evidence: [
        ...healthy(0, 1000),
        { is: 'asked', at: 1000 },
        { is: 'tick', at: 1060, othersHeardAt: 1050 },
        { is: 'answered', at: 1070, rttMs: 70 },
        ...healthy(1100, 3000),
      ],
      lines: ['2 unknown → ready', '1060 ready → suspect', '1301 suspect → ready'],
    },
    {
      name: 'not ready, then ready twice in a row',
      evidence: [
        ...healthy(0, 1000),
        { is: 'readyz', at: 1002, ok: false },
        { is: 'readyz', at: 2002, ok: true },
        { is: 'readyz', at: 3002, ok: true },
      ],
      lines: ['2 unknown → ready', '1002 ready → unready', '3002 unready → ready'],
    },
    {
      name: 'the way back from death wants a handshake and two yeses',
      evidence: [
        ...healthy(0, 1000),
        { is: 'ended', at: 1001 },
        { is: 'refused', at: 1002 },
        { is: 'answered', at: 5000, rttMs: 8 },
        { is: 'readyz', at: 5010, ok: true },
        { is: 'readyz', at: 6010, ok: true },
      ],
      lines: ['2 unknown → ready', '1002 ready → failed !', '5010 failed → unready', '6010 unready → ready'],
    },
    {
      name: 'a dead one is not brought back by a lag and a /readyz that does not answer',
      evidence: [
        ...healthy(0, 1000),
        ...silence(1000, 5000),
        { is: 'readyz-overdue', at: 5000 },
        { is: 'lagged', at: 65_000 },
        { is: 'readyz-overdue', at: 65_000 },
        ...silence(65_000, 70_000),
      ],
      lines: ['2 unknown → ready', '1060 ready → suspect', '4060 suspect → failed !'],
    },
    {
      name: 'a lagging prober starts silence anew',
      evidence: [...healthy(0, 1000), ...silence(1000, 3800), { is: 'lagged', at: 3800 }, ...silence(3800, 6700)],
      lines: ['2 unknown → ready', '1060 ready → suspect'],
    },
    {
      name: 'draining takes no new connections, lives on, and can still die',
      evidence: [
        ...healthy(0, 1000),
        { is: 'drain', at: 1000, on: true },
        ...healthy(1000, 3000),
        { is: 'ended', at: 3001 },
        { is: 'refused', at: 3002 },
      ],
      lines: ['2 unknown → ready', '1000 ready → draining', '3002 draining → failed !'],
    },
    {
      name: 'a backend that never answered is not destroyed, whatever is refused',
      evidence: [{ is: 'asked', at: 0 }, { is: 'refused', at: 1 }, ...silence(100, 9000)],
      lines: [],
    },
  ])('$name', ({ evidence, lines }) => {
    expect(story(evidence).lines).toEqual(lines);
  });

  test('a prober that asks each five seconds trusts after four timely answers, however often it suspected', () => {
    const often = Array.from({ length: 6 }, (_, i) => [
      ...silence(1000 + i * 6000, 1200 + i * 6000),
      ...healthy(1200 + i * 6000, 7000 + i * 6000),
    ]).flat();
    const wanted48 = story([...healthy(0, 1000), ...often, ...silence(37_000, 37_200)]).backend;
    expect([wanted48.state, wanted48.wanted]).toEqual(['suspect', 48]);
    const seldom = Array.from({ length: 6 }, (_, i) => 37_150 + i * 5000).flatMap((at): Evidence[] => [
      { is: 'asked', at },
      { is: 'answered', at: at + 1, rttMs: 1 },
    ]);
    // The first answer ends the question that was overdue.
    expect(story(seldom, wanted48).lines).toEqual(['57151 suspect → ready']);
  });

  test('each suspicion of the last minute doubles the way back', () => {
    const stumble = (at: number): Evidence[] => [
      { is: 'asked', at },
      { is: 'tick', at: at + 60, othersHeardAt: at },
      { is: 'answered', at: at + 70, rttMs: 70 },
    ];
    const { lines } = story([
      ...healthy(0, 1000),
      ...stumble(1000),
      ...healthy(1100, 5000),
      ...stumble(5000),
      ...healthy(5100, 9000),
    ]);
    const back = lines.filter((line) => line.endsWith('suspect → ready'));
    // Variation grows with the 70 ms sample, so the second stumble is told by a later tick; the number of answers counts.
    expect(back.length).toBeGreaterThanOrEqual(1);
    expect(lines[2]).toBe('1301 suspect → ready');
  });
});

describe('whatever is seen', () => {
  const evidence: fc.Arbitrary<Evidence[]> = fc
    .array(
      fc.record({
        gap: fc.oneof(fc.integer({ min: 0, max: 150 }), fc.integer({ min: 0, max: 4000 }), fc.constant(86_400_000)),
        what: fc.oneof(
          fc.constant({ is: 'asked' } as const),
          fc.record({ is: fc.constant('answered' as const), rttMs: fc.integer({ min: 0, max: 500 }) }),
          fc.record({ is: fc.constant('readyz' as const), ok: fc.boolean() }),
          fc.constant({ is: 'ended' } as const),
          fc.constant({ is: 'readyz-overdue' } as const),
          fc.constant({ is: 'refused' } as const),
          fc.record({ is: fc.constant('tick' as const), othersAgo: fc.integer({ min: 0, max: 5000 }) }),
          fc.constant({ is: 'lagged' } as const),
          fc.record({ is: fc.constant('drain' as const), on: fc.boolean() }),
        ),
      }),
      { maxLength: 60 },
    )
    .map((items) => {
      let at = 0;
      return items.map(({ gap, what }): Evidence => {
        at += gap;
        return what.is === 'tick' ? { is: 'tick', at, othersHeardAt: at - what.othersAgo } : { ...what, at };
      });
    });

  test('flows die only by a refused redial after an end of stream, or by three seconds of one-sided silence', () =>
    fc.assert(
      fc.property(evidence, (all) => {
        let backend = newBackend(0);
        for (const seen of all) {
          const next = observe(backend, seen);
          if (next.destroyFlows) {
            const refused = seen.is === 'refused' && backend.ended;
            const silent =
              seen.is === 'tick' && seen.at - backend.heardAt >= deadAfterMs && seen.othersHeardAt > backend.heardAt;
            expect(refused || silent).toBe(true);
            expect(next.backend.state).toBe('failed');
            expect(['failed', 'unknown']).not.toContain(backend.state);
          }
          backend = next.backend;
        }
      }),
    ));

  test('ready means: the last /readyz said yes, no answer is overdue by more than a tick, nobody drained it', () =>
    fc.assert(
      fc.property(evidence, (all) => {
        let backend = newBackend(0);
        for (const seen of all) {
          backend = observe(backend, seen).backend;
          if (backend.state !== 'ready') continue;
          expect({ ready: backend.ready, drained: backend.drained }).toEqual({ ready: true, drained: false });
          if (backend.askedAt !== undefined)
            expect(seen.at - backend.askedAt).toBeLessThanOrEqual(patience(backend.rtt));
        }
      }),
    ));

  test('no death by silence within three seconds of a lag', () =>
    fc.assert(
      fc.property(evidence, (all) => {
        let backend = newBackend(0);
        let lagged = Number.NEGATIVE_INFINITY;
        for (const seen of all) {
          if (seen.is === 'lagged') lagged = seen.at;
          const next = observe(backend, seen);
          if (next.destroyFlows && seen.is === 'tick') expect(seen.at - lagged).toBeGreaterThanOrEqual(deadAfterMs);
          backend = next.backend;
        }
      }),
    ));

  test('a failed backend is ready again only after two yeses in a row', () =>
    fc.assert(
      fc.property(evidence, (all) => {
        let backend = newBackend(0);
        let yeses = 0;
        let died = false;
        for (const seen of all) {
          const next = observe(backend, seen);
          if (seen.is === 'readyz') yeses = seen.ok ? yeses + 1 : 0;
          if (seen.is === 'readyz-overdue') yeses = 0;
          if (next.destroyFlows) {
            died = true;
            yeses = 0;
          }
          if (died && next.backend.state === 'ready') expect(yeses).toBeGreaterThanOrEqual(2);
          if (next.backend.state === 'ready') died = false;
          backend = next.backend;
        }
      }),
    ));
});
