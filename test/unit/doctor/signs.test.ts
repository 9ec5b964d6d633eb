import { describe, expect, test } from 'vitest';
import type { Cause, Sign } from '../../../src/doctor/cause.ts';
import { causes } from '../../../src/doctor/causes/index.ts';
import { diagnose } from '../../../src/doctor/diagnose.ts';
import { parseLog } from '../../../src/doctor/logs/parse.ts';

const signs: readonly (readonly [string, Cause, Sign])[] = causes.flatMap((cause) =>
  cause.signs.map((sign, index) => [`${cause.id} ${index + 1}: ${sign.example.slice(0, 60)}`, cause, sign] as const),
);

/** The example `n` times, a minute apart where it has to happen again and again. */
function times(sign: Sign, n: number, apart = sign.again === true): string {
  const at = (i: number) =>
    apart ? sign.example.replace(/(\d\d):\d\d:/, `$1:${String(i).padStart(2, '0')}:`) : sign.example;
  return Array.from({ length: n }, (_, i) => at(i)).join('\n');
}

describe('lines that speak for a cause', () => {
  test.each(signs)('%s', (_name, cause, sign) => {
    const text = times(sign, sign.atLeast ?? 1);
    const [component] = sign.in ?? [];
    const logs = parseLog(text, { source: 'some.log', component });
    const [first] = diagnose({ live: undefined, logs }).findings;
    expect(first).toMatchObject({ cause: cause.id, confidence: sign.confidence });
    // The last of equal lines is pointed at, with its place.
    expect(first?.seen.at(-1)).toEqual({
      where: `some.log:${sign.atLeast ?? 1}`,
      text: text.split('\n').at(-1)?.trim(),
    });
  });

  test('one line less than it takes is nothing', () => {
    const counted = signs.filter(([, , sign]) => (sign.atLeast ?? 1) > 1);
    expect(counted.length).toBeGreaterThan(0);
    for (const [, , sign] of counted) {
      const logs = parseLog(times(sign, (sign.atLeast ?? 1) - 1), { source: 'some.log', component: sign.in?.[0] });
      expect(diagnose({ live: undefined, logs }).findings).toEqual([]);
    }
  });

  test('what has to happen again and again is not ten lines about one moment, nor one line in each of ten logs', () => {
    const again = signs.filter(([, , sign]) => sign.again === true);
    expect(again.length).toBeGreaterThan(0);
    for (const [, , sign] of again) {
      const component = sign.in?.[0];
      const once = parseLog(times(sign, 10, false), { source: 'some.log', component });
      const everywhere = Array.from({ length: 10 }, (_, i) => i).flatMap((i) =>
        parseLog(
          times(sign, i + 1)
            .split('\n')
            .at(-1) ?? '',
          { source: `log ${i}`, component },
        ),
      );
      expect(diagnose({ live: undefined, logs: once }).findings).toEqual([]);
      expect(diagnose({ live: undefined, logs: everywhere }).findings).toEqual([]);
    }
  });

  test('from logs alone hairpinning is never certain', () => {
    const own = causes.find(({ id }) => id === 'endpoint-hairpins');
    expect(own?.signs.map(({ confidence }) => confidence)).not.toContain('certain');
  });
});

test('causes have ids of their own, and each has a way to be found', () => {
  const ids = causes.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(causes.filter(({ signs: own, judge }) => own.length === 0 && judge === undefined)).toEqual([]);
});
