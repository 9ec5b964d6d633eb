import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atLeast, compareVersions, parseVersion, type Version, version } from '../../../src/std/version.ts';

describe('parseVersion()', () => {
  test.each([
    { text: 'v1.37.2', canonical: 'v1.37.2' },
    { text: '1.14.1', canonical: 'v1.14.1' },
    { text: 'v1.38.0-rc.1', canonical: 'v1.38.0-rc.1' },
    { text: 'v1.37.2+k3s1', canonical: 'v1.37.2' },
    { text: 'v1.37', canonical: undefined },
    { text: 'v1.037.2', canonical: undefined },
    { text: 'latest', canonical: undefined },
    { text: '', canonical: undefined },
    { text: 'v1.37.2\n', canonical: undefined },
  ])('$text', ({ text, canonical }) => {
    expect(parseVersion(text)?.text).toBe(canonical);
  });
});

describe('compareVersions()', () => {
  test('sorts as semver says', () => {
    const sorted = [
      'v1.9.0',
      'v1.14.1',
      'v1.37.0-alpha',
      'v1.37.0-alpha.1',
      'v1.37.0-alpha.beta',
      'v1.37.0-beta.2',
      'v1.37.0-beta.11',
      'v1.37.0-rc.1',
      'v1.37.0',
      'v1.37.2',
      'v2.0.0',
    ];
    expect(
      sorted
        .toReversed()
        .map(version)
        .toSorted(compareVersions)
        .map((v) => v.text),
    ).toEqual(sorted);
  });

  test('is antisymmetric, and zero for equal texts only', () => {
    const any = fc
      .tuple(
        fc.nat(2),
        fc.nat(3),
        fc.nat(3),
        fc.option(fc.constantFrom('alpha.1', 'alpha.2', 'rc.1', 'rc'), { nil: undefined }),
      )
      .map(([a, b, c, pre]): Version => version(`v${a}.${b}.${c}${pre === undefined ? '' : `-${pre}`}`));
    fc.assert(
      fc.property(any, any, (a, b) => {
        expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).toBe(0);
        expect(compareVersions(a, b) === 0).toBe(a.text === b.text);
      }),
    );
  });
});

test('atLeast() looks at the minor only', () => {
  expect(['v1.13.9', 'v1.14.0-rc.1', 'v1.14.0', 'v2.0.0'].map((text) => atLeast(version(text), 1, 14))).toEqual([
    false,
    true,
    true,
    true,
  ]);
});
