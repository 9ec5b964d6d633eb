import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Lab } from '../../src/lab/runtime/start-lab.ts';
import { setStandin } from '../../src/lab/standin/control.ts';
import { dial, tally, untilInRotation, wireLab } from '../support/balancer-lab.ts';
import { steerMachine } from '../support/steered.ts';

const names = ['m1', 'm2', 'm3'];
const tries = 30;
const check = { protocol: 'https', intervalMs: 500, timeoutMs: 2_000, rise: 1, fall: 3 } as const;

/** Dials until `fits` says so; gives the last tally, so that a failure shows what was seen instead. */
async function until(lab: Lab, from: string, fits: (seen: string) => boolean, timeout = 15_000): Promise<string> {
  const end = performance.now() + timeout;
  for (;;) {
    const seen = tally(await dial(lab, from, { tries }));
    if (fits(seen) || performance.now() > end) return seen;
    await sleep(200);
  }
}

const onlySelf = (seen: string) => seen === `m1 ${tries}`;
const onlyOthers = (seen: string) => seen === `m2 ${tries / 2}, m3 ${tries / 2}`;

describe('static steering on a real kernel', () => {
  test.each([
    { behaviour: 'drop', ip: '4', tools: 'curl', before: 'm2 10, m3 10, timeout 10' },
    { behaviour: 'drop', ip: '6', tools: 'openssl', before: 'm2 10, m3 10, timeout 10' },
    { behaviour: 'local', ip: '4', tools: 'socat', before: 'm1 30' },
  ] as const)('behind $behaviour over IPv$ip, asking with $tools', async ({ behaviour, ip, tools, before }) => {
    await using lab = await wireLab({
      name: `strat-steer-${behaviour}${ip}`,
      masters: 3,
      workers: 1,
      ip,
      balancer: { like: behaviour, healthCheck: check },
    });
    await untilInRotation(lab, names);
    expect(tally(await dial(lab, 'm1', { tries }))).toBe(before);
    await using steered = await steerMachine(lab, 'm1', tools);

    expect([await until(lab, 'm1', onlySelf), steered.log]).toEqual(['m1 30', steered.log]);
    if (behaviour === 'drop') expect(tally(await dial(lab, 'm1-pod', { tries }))).toBe('m1 30');

    await setStandin(lab.cx.paths, 'm1', { ready: false });
    expect([await until(lab, 'm1', onlyOthers), steered.log]).toEqual(['m2 15, m3 15', steered.log]);

    // Without etcd's quorum nobody is ready, and nobody may be thrown off for that.
    await Promise.all(names.map((name) => setStandin(lab.cx.paths, name, { ready: false })));
    expect([await until(lab, 'm1', onlySelf), steered.log]).toEqual(['m1 30', steered.log]);

    await Promise.all(names.map((name) => setStandin(lab.cx.paths, name, { ready: true })));
    await lab.exec('m1', ['nft', 'delete', 'table', ip === '4' ? 'ip' : 'ip6', 'hairpin']);
    const gone = () => steered.log.includes('the steering table is gone; putting it back');
    for (let i = 0; i < 50 && !gone(); i += 1) await sleep(200);
    expect([gone(), await until(lab, 'm1', onlySelf), steered.log]).toEqual([true, 'm1 30', steered.log]);

    // The dead man's switch: nobody cleans up, and 3 s later the balancer has its clients again.
    await untilInRotation(lab, names);
    await steered.kill();
    await sleep(4_000);
    expect(tally(await dial(lab, 'm1', { tries }))).toBe(before);
  });
});
