import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { stopLab } from '../../src/index.ts';
import { hairpin, startHairpin } from '../support/hairpin.ts';
import { hostState, tracesOf } from '../support/lab-traces.ts';

const name = 't-core-sweep';
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
afterAll(async () => void (await stopLab(name)));

test.each([
  { tier: 'wire', kills: 20, workers: '1', masters: '3' },
  // Two nodes: a machine may have few inotify instances to give, and a node needs six.
  { tier: 'node', kills: 20, workers: '1', masters: '1' },
])(
  '$kills × SIGKILL at random times in `lab up --tier $tier`, then `lab down`: nothing is left',
  async ({ tier, kills, masters, workers }) => {
    const upArgs = ['lab', 'up', '--lab', name, '--tier', tier, '--masters', masters, '--workers', workers];
    // An undisturbed run first: it says how long there is to kill in, and makes what is kept between labs.
    await expectFine(upArgs);
    await expectFine(['lab', 'down', '--lab', name]);
    const start = performance.now();
    await expectFine(upArgs);
    const whole = performance.now() - start;
    await expectFine(['lab', 'down', '--lab', name]);

    console.log(`seed ${seed}; an undisturbed up takes ${Math.round(whole)} ms`);
    const random = randomFrom(seed);
    const before = hostState();
    const interrupted: number[] = [];
    for (let kill = 0; kill < kills; kill += 1) {
      const after = random() * whole;
      const up = startHairpin(upArgs);
      await sleep(after);
      up.child.kill('SIGKILL');
      const { code } = await up.done;
      if (code === 137 && (await tracesOf(name)).length > 0) interrupted.push(Math.round(after));
      await expectFine(['lab', 'down', '--lab', name]);
      expect({ after, left: await tracesOf(name) }).toEqual({ after, left: [] });
    }
    expect(hostState()).toEqual(before);
    console.log(`killed with something half-made after ${interrupted.join(', ')} ms`);
    // Otherwise this has shown nothing.
    expect(interrupted.length).toBeGreaterThanOrEqual(kills / 4);
  },
);

async function expectFine(args: readonly string[]): Promise<void> {
  const { code, stderr } = await hairpin(args);
  expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' });
}

/** Mulberry32: small, and good enough to choose moments. */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
