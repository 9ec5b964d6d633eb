import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readInForce } from '../../../src/drill/faults/records.ts';
import { readBalancerStatus } from '../../../src/lab/balancer/client.ts';
import { readFaults } from '../../../src/lab/faults/records.ts';
import type { Lab } from '../../../src/lab/runtime/start-lab.ts';
import { readStandin } from '../../../src/lab/standin/control.ts';
import { dial, untilInRotation, wireLab } from '../../support/balancer-lab.ts';
import { hairpin, hairpinBin } from '../../support/hairpin.ts';

let lab: Lab;
beforeAll(async () => {
  const healthCheck = { protocol: 'https', intervalMs: 500, timeoutMs: 2000, rise: 1, fall: 2 } as const;
  lab = await wireLab({ name: 'drill-killed', balancer: { like: 'works', healthCheck } });
  await untilInRotation(lab, ['m1', 'm2', 'm3']);
});
afterAll(async () => lab[Symbol.asyncDispose]());

// Twenty moments over the whole of a drill, faults in turn: also while one is being injected or healed.
const drills = ['apiserver-frozen', 'apiserver-killed', 'node-silent', 'balancer-down', 'apiserver-slow'];

test('a drill that is killed at any moment leaves nothing that the next command does not heal', async () => {
  const broken: string[] = [];
  for (let round = 0; round < 20; round += 1) {
    const name = drills[round % drills.length] ?? '';
    const child = spawn(hairpinBin, ['drill', 'run', name, '--lab', lab.name, '--for', '2s', '--rate', '3'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    // Half of the time while the fault is being injected or healed, else anywhere.
    const words = [undefined, `… ${name}`, undefined, '… heal'][round % 4];
    if (words === undefined) await Promise.race([sleep(Math.random() * 9000), ended]);
    else {
      while (!said.includes(words) && child.exitCode === null) await sleep(5);
      await sleep(Math.random() * 60);
    }
    child.kill('SIGKILL');
    await ended;
    broken.push(...(await readInForce(join(lab.cx.paths.root, 'drill-in-force'))).map(({ fault }) => fault));

    const healed = await hairpin(['drill', 'heal', '--lab', lab.name]);
    expect(healed, said).toMatchObject({ code: 0 });
    expect(await readInForce(join(lab.cx.paths.root, 'drill-in-force'))).toEqual([]);
    expect(await readFaults(lab.cx.paths)).toEqual([]);
    const m1 = await readStandin(lab.cx.paths, 'm1');
    expect(m1).toMatchObject({ ready: true, live: true, delayMs: 0 });
    await untilInRotation(lab, ['m1', 'm2', 'm3'], 30_000);
    expect((await readBalancerStatus(lab.cx.paths)).backends.length).toBe(3);
    const outcomes = await dial(lab, 'c1', { tries: 6, connectMs: 5000 });
    expect(outcomes.map(({ is }) => is).filter((is) => !/^m[123]$/.test(is))).toEqual([]);
  }
  // A sweep that never met a fault in force has shown nothing.
  expect(broken.length).toBeGreaterThan(3);
}, 900_000);
