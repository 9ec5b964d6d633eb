import { describe, expect, test } from 'vitest';
import { afterCheck, type Health, unknownHealth } from '../../../../src/lab/balancer/health.ts';

const check = { rise: 2, fall: 3 };

/** `+-` are checks that passed and failed; the answer has one letter for what the backend was after each. */
function after(results: string, from: Health = unknownHealth): string {
  let health = from;
  return results
    .split('')
    .map((result) => {
      health = afterCheck(health, result === '+', check);
      return health.is[0];
    })
    .join('');
}

describe('afterCheck() with rise 2 and fall 3', () => {
  test.each([
    { name: 'the first success of a new backend admits it', results: '+', states: 'h' },
    { name: 'failures of a new backend leave it as it is', results: '-----+', states: 'iiiiih' },
    { name: 'three failures in a row eject', results: '+---', states: 'hhhu' },
    { name: 'two do not, and a success starts over', results: '+--+--+---', states: 'hhhhhhhhhu' },
    { name: 'two successes in a row admit again', results: '+---++', states: 'hhhuuh' },
    { name: 'one does not, and a failure starts over', results: '+---+-+-++', states: 'hhhuuuuuuh' },
  ])('$name', ({ results, states }) => expect(after(results)).toBe(states));
});
