import { describe, expect, test } from 'vitest';
import { goIsOlder } from '../../../../src/lab/artefacts/go-toolchain.ts';
import { compareReleases, nearestVersion, parseVersion } from '../../../../src/lab/artefacts/version.ts';

describe('parseVersion()', () => {
  test.each([
    { name: 'takes a version as Kubernetes writes it', text: 'v1.37.2', version: 'v1.37.2' },
    { name: 'adds the v', text: '1.37.2', version: 'v1.37.2' },
    { name: 'takes a pre-release', text: 'v1.38.0-alpha.1', version: 'v1.38.0-alpha.1' },
    { name: 'does not take a minor alone', text: 'v1.37', version: undefined },
    { name: 'does not take a word', text: 'latest', version: undefined },
    { name: 'does not take a way out of the directory', text: 'v1.37.2/../../x', version: undefined },
  ])('$name', ({ text, version }) => {
    expect(parseVersion(text)).toBe(version);
  });
});

describe('nearestVersion()', () => {
  const available = ['v3.5.9', 'v3.6.5', 'v3.6.8', 'v3.6.12', 'v3.7.0-rc.0', 'v3.7.3', 'v3.8.0-alpha.0'];
  test.each([
    { name: 'the wanted one where it is there', wanted: 'v3.6.8', nearest: 'v3.6.8' },
    { name: 'a pre-release only when it is asked for', wanted: 'v3.7.0-rc.0', nearest: 'v3.7.0-rc.0' },
    { name: 'else the next patch of the minor, by number and not by letter', wanted: 'v3.6.9', nearest: 'v3.6.12' },
    { name: 'else the last patch of the minor', wanted: 'v3.6.99', nearest: 'v3.6.12' },
    { name: 'else the newest release, no pre-release', wanted: 'v3.4.1', nearest: 'v3.7.3' },
  ])('gives $name', ({ wanted, nearest }) => {
    expect(nearestVersion(wanted, available)).toBe(nearest);
  });

  test('gives nothing where there is nothing', () => {
    expect(nearestVersion('v3.6.5', [])).toBeUndefined();
  });
});

test('compareReleases() compares numbers', () => {
  expect(['v1.9.0', 'v1.10.0', 'v1.2.30', 'v1.2.4'].toSorted(compareReleases)).toEqual([
    'v1.2.4',
    'v1.2.30',
    'v1.9.0',
    'v1.10.0',
  ]);
});

describe('goIsOlder()', () => {
  test.each([
    { have: 'go1.26.8', least: '1.26.0', older: false },
    { have: 'go1.26', least: '1.26.0', older: false },
    { have: 'go1.9.7', least: '1.26.0', older: true },
    { have: 'go1.25.12', least: '1.26', older: true },
    { have: 'devel go1.27-abc', least: '1.26.0', older: false },
    { have: 'go1.26.0', least: '1.26.3', older: true },
  ])('$have for $least: $older', ({ have, least, older }) => {
    expect(goIsOlder(have, least)).toBe(older);
  });
});
