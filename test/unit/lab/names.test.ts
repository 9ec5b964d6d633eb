import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { labNamePattern, labOfNetns, netnsName } from '../../../src/lab/topology/names.ts';

const labName = fc.stringMatching(/^[a-z][a-z0-9-]{0,18}[a-z0-9]$/);
const member = fc.oneof(
  fc.constantFrom('fabric', 'lb'),
  fc.stringMatching(/^[mwc][1-9][0-9]?$/),
  fc.stringMatching(/^[mw][1-9]-pod$/),
);

describe('labOfNetns()', () => {
  test('finds the lab of every namespace, also where one lab is called like a machine of another', () =>
    fc.assert(
      fc.property(labName, member, (lab, who) => {
        expect(labOfNetns(netnsName(lab, who))).toBe(lab);
      }),
      {
        examples: [
          ['a-m1', 'm1-pod'],
          ['a', 'm1-pod'],
          ['hp-m1', 'fabric'],
          ['a-fabric', 'lb'],
        ],
      },
    ));

  test.each([
    { name: 'another program', netns: 'cni-1234' },
    { name: 'no member of a lab', netns: 'hp-lab-router' },
    { name: 'a machine without a number', netns: 'hp-lab-m' },
    { name: 'no lab at all', netns: 'hp-m1' },
  ])('is not fooled by $name', ({ netns }) => {
    expect(labOfNetns(netns)).toBeUndefined();
  });
});

test.each([
  { text: 'lab', ok: true },
  { text: 'a', ok: true },
  { text: 'night-7', ok: true },
  { text: 'a2345678901234567890', ok: true },
  { text: 'a23456789012345678901', ok: false },
  { text: 'Lab', ok: false },
  { text: '7lab', ok: false },
  { text: 'lab-', ok: false },
  { text: '../etc', ok: false },
  { text: '', ok: false },
])('labNamePattern on "$text": $ok', ({ text, ok }) => {
  expect(labNamePattern.test(text)).toBe(ok);
});
