import { describe, expect, test } from 'vitest';
import type { Cause, Sign } from '../../../src/doctor/cause.ts';
import { causes } from '../../../src/doctor/causes/index.ts';
import { diagnose } from '../../../src/doctor/diagnose.ts';
import { parseLog } from '../../../src/doctor/logs/parse.ts';

const signs: readonly (readonly [string, Cause, Sign])[] = causes.flatMap((cause) =>
  cause.signs.map((sign, index) => [`${cause.id} ${index + 1}: ${sign.example.slice(0, 60)}`, cause, sign] as const),
);

describe('lines that speak for a cause', () => {
  test.each(signs)('%s', (_name, cause, sign) => {
    const text = Array.from({ length: sign.atLeast ?? 1 }, () => sign.example).join('\n');
    const [component] = sign.in ?? [];
    const logs = parseLog(text, { source: 'some.log', component });
    const [first] = diagnose({ live: undefined, logs }).findings;
    expect(first).toMatchObject({ cause: cause.id, confidence: sign.confidence });
    // The last of equal lines is pointed at, with its place.
    expect(first?.seen.at(-1)).toEqual({ where: `some.log:${sign.atLeast ?? 1}`, text: sign.example.trim() });
  });

  test('one line less than it takes is nothing', () => {
    const counted = signs.filter(([, , sign]) => (sign.atLeast ?? 1) > 1);
    expect(counted.length).toBeGreaterThan(0);
    for (const [, , sign] of counted) {
      const text = Array.from({ length: (sign.atLeast ?? 1) - 1 }, () => sign.example).join('\n');
      const logs = parseLog(text, { source: 'some.log', component: sign.in?.[0] });
      expect(diagnose({ live: undefined, logs }).findings).toEqual([]);
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
