import { describe, expect, test } from 'vitest';
import {
  either,
  exactly,
  fields,
  flag,
  integer,
  list,
  nullish,
  number,
  oneOf,
  optional,
  text,
  textOf,
} from '../../../src/std/shape.ts';

const shape = exactly({ name: textOf(1, 3), port: integer(1, 10), also: optional(flag) });

describe('shapes', () => {
  test.each([
    { name: 'all fields', value: { name: 'a', port: 1, also: true }, fits: true },
    { name: 'without what is optional', value: { name: 'a', port: 10 }, fits: true },
    { name: 'a field too many', value: { name: 'a', port: 1, x: 1 }, fits: false },
    { name: 'a field too few', value: { name: 'a' }, fits: false },
    { name: 'a text that is too long', value: { name: 'abcd', port: 1 }, fits: false },
    { name: 'a text that is empty', value: { name: '', port: 1 }, fits: false },
    { name: 'half a number', value: { name: 'a', port: 1.5 }, fits: false },
    { name: 'a number out of range', value: { name: 'a', port: 11 }, fits: false },
    { name: 'null for what is optional', value: { name: 'a', port: 1, also: null }, fits: false },
    { name: 'a list', value: [], fits: false },
    { name: 'null', value: null, fits: false },
    { name: 'fields that are inherited', value: Object.create({ name: 'a', port: 1 }), fits: false },
    { name: '__proto__ as a field', value: JSON.parse('{"name":"a","port":1,"__proto__":{"also":true}}'), fits: false },
  ])('exactly(): $name', ({ value, fits }) => {
    expect(shape(value)).toBe(fits);
  });

  test('fields() lets others be', () => {
    expect(fields({ a: text() })({ a: 'x', b: 1 })).toBe(true);
    expect(fields({ a: text() })({ b: 1 })).toBe(false);
  });

  test('list() counts and looks at each', () => {
    const few = list(oneOf('a', 'b'), 1, 2);
    expect([[], ['a'], ['a', 'b'], ['a', 'c'], ['a', 'b', 'a'], 'a'].map(few)).toEqual([
      false,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test('numbers are finite, null is only what says so, and either is one of both', () => {
    expect([1, Number.POSITIVE_INFINITY, Number.NaN, '1'].map(number)).toEqual([true, false, false, false]);
    expect([null, undefined, 'a', 1].map(nullish(text()))).toEqual([true, true, true, false]);
    expect(['a', 1, true].map(either(text(), flag))).toEqual([true, false, true]);
  });
});
