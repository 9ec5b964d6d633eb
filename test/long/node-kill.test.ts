import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { stopLab } from '../../src/index.ts';
import { hairpin, startHairpin } from '../support/hairpin.ts';
import { hostState, tracesOf } from '../support/lab-traces.ts';

// Nodes of the node tier bring what namespaces alone do not: mounts, loop devices, cgroups of cgroups, keepers that
// start a node again.

const name = 't-node-kill';
afterAll(async () => void (await stopLab(name)));

/** Printed, so that a failure can be repeated. */
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

test(`20 × kill -9 at random times in \`lab up --tier node\`, then \`lab down\`: nothing is left (SEED=${seed})`, async () => {
  const before = hostState();
  const random = mulberry32(seed);
  const left: { ms: number; traces: readonly string[] }[] = [];
  for (let round = 0; round < 20; round += 1) {
    // A whole `up` takes 3 s; the later half of the nodes' boot counts as well.
    const ms = Math.round(random() * 3_500);
    const up = startHairpin(['lab', 'up', '--tier', 'node', '--lab', name, '--masters', '2', '--workers', '1']);
    await sleep(ms);
    up.child.kill('SIGKILL');
    await up.done;
    const down = await hairpin(['lab', 'down', '--lab', name]);
    const traces = await tracesOf(name);
    if (down.code !== 0 || traces.length > 0) left.push({ ms, traces: [down.stderr, ...traces] });
  }
  expect(left).toEqual([]);
  expect(hostState()).toEqual(before);
});

/** Small, fast and repeatable; nothing here has to be hard to guess. */
function mulberry32(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
