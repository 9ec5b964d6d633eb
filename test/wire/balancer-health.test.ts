import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Behaviour, HealthCheck } from '../../src/balancer/behaviour.ts';
import { detection, pacingOf, readmission } from '../../src/balancer/timing.ts';
import { readBalancerStatus } from '../../src/lab/balancer/client.ts';
import type { Lab } from '../../src/lab/runtime/start-lab.ts';
import { silence, standinPid, untilInRotation, wireLab } from '../support/balancer-lab.ts';

/** What a busy machine with two cores may add to a timer, to a process that is started, and to a packet. */
const scheduling = 250;

const quick = { path: '/readyz', intervalMs: 200, timeoutMs: 300, rise: 2, fall: 3 } as const;

interface Failure {
  readonly name: 'crash' | 'hang' | 'silent loss';
  /** How its checks fail, which says how long it takes to notice. */
  readonly how: 'refused' | 'silent';
  /** Breaks m1 and gives what heals it. */
  inject(lab: Lab): Promise<() => Promise<void>>;
}

const crash: Failure = {
  name: 'crash',
  how: 'refused',
  async inject(lab) {
    process.kill(await standinPid(lab, 'm1'), 'SIGKILL');
    return async () => lab.tier.startMachine(lab.cx, 'm1');
  },
};

const hang: Failure = {
  name: 'hang',
  how: 'silent',
  async inject(lab) {
    const pid = await standinPid(lab, 'm1');
    process.kill(pid, 'SIGSTOP');
    return async () => void process.kill(pid, 'SIGCONT');
  },
};

const silentLoss: Failure = { name: 'silent loss', how: 'silent', inject: (lab) => silence(lab, 'm1') };

describe('health checks eject and re-admit within interval × threshold + timeout', () => {
  test.each([
    ...cases('drop', 'https', [crash, hang, silentLoss]),
    ...cases('drop', 'tcp', [crash, silentLoss]),
    ...cases('local', 'https', [crash, hang, silentLoss]),
    ...cases('proxy', 'https', [crash, hang, silentLoss]),
    ...cases('proxy', 'tcp', [crash, silentLoss]),
  ])('$behaviour with $protocol checks: $names', async ({ behaviour, protocol, failures }) => {
    const check: HealthCheck = { ...quick, protocol };
    await using lab = await wireLab({
      name: `bal-health-${behaviour}`,
      workers: 0,
      clients: 0,
      balancer: { like: behaviour, healthCheck: check },
    });
    await untilInRotation(lab, ['m1', 'm2', 'm3']);
    for (const failure of failures) {
      expect({ failure: failure.name, ...(await timesOf(lab, failure, check)) }).toEqual({
        failure: failure.name,
        ejectedInTime: true,
        readmittedInTime: true,
      });
    }
  });

  test('a TCP check does not see a hang: the kernel goes on accepting', async () => {
    const check: HealthCheck = { ...quick, protocol: 'tcp' };
    await using lab = await wireLab({
      name: 'bal-health-tcp',
      workers: 0,
      clients: 0,
      balancer: { like: 'drop', healthCheck: check },
    });
    await untilInRotation(lab, ['m1', 'm2', 'm3']);
    const heal = await hang.inject(lab);
    await sleep(3 * detection(check, 'silent').atMost);
    const status = await readBalancerStatus(lab.cx.paths);
    await heal();
    expect(status.backends.map((b) => [b.name, b.health, b.lastCheck?.passed])).toEqual([
      ['m1', 'healthy', true],
      ['m2', 'healthy', true],
      ['m3', 'healthy', true],
    ]);
    expect(status.history.filter((t) => t.to === 'out')).toEqual([]);
  });

  test('with the numbers of a real product (alibaba-clb: 2 s × 3, timeout 5 s)', async () => {
    await using lab = await wireLab({ name: 'bal-health-clb', workers: 0, clients: 0, balancer: 'alibaba-clb' });
    await untilInRotation(lab, ['m1', 'm2', 'm3']);
    expect(await timesOf(lab, silentLoss, lab.spec.balancer.healthCheck)).toEqual({
      ejectedInTime: true,
      readmittedInTime: true,
    });
  });
});

describe('where health checks come from', () => {
  const check: HealthCheck = { ...quick, protocol: 'https' };

  test('the VIP itself: a master that has the VIP on its own loopback answers itself and is ejected', async () => {
    await using lab = await wireLab({
      name: 'bal-probe-vip',
      workers: 0,
      clients: 0,
      balancer: { like: 'tencent-clb', probeSource: 'vip', healthCheck: check },
    });
    await untilInRotation(lab, ['m1', 'm2', 'm3']);
    const vip = lab.spec.endpoint.addresses[0]?.text;
    await lab.exec('m1', ['ip', 'address', 'add', `${vip}/32`, 'dev', 'lo']);
    const { backends } = await untilInRotation(lab, ['m2', 'm3']);
    expect(backends.map((b) => [b.name, b.lastCheck?.problem])).toEqual([
      ['m1', 'no answer within 300 ms'],
      ['m2', undefined],
      ['m3', undefined],
    ]);
    await lab.exec('m1', ['ip', 'address', 'del', `${vip}/32`, 'dev', 'lo']);
    await untilInRotation(lab, ['m1', 'm2', 'm3']);
  });

  test.each(['one-arm', 'lvs-dr'])('a foreign address, on a segment, by way of the router (%s)', async (like) => {
    await using lab = await wireLab({
      name: 'bal-probe-far',
      workers: 0,
      clients: 0,
      balancer: { like, probeSource: '100.64.0.10', healthCheck: check },
    });
    const status = await untilInRotation(lab, ['m1', 'm2', 'm3']);
    expect(status.probeSources).toEqual(['100.64.0.10']);
  });
});

function cases(behaviour: Behaviour, protocol: HealthCheck['protocol'], failures: readonly Failure[]) {
  return [{ behaviour, protocol, failures, names: failures.map((f) => f.name).join(', ') }];
}

/** Breaks m1, waits until it is out, heals it, waits until it is in; anything out of bounds is shown with its numbers. */
async function timesOf(lab: Lab, failure: Failure, check: HealthCheck) {
  // For haproxy, which waits its interval after the end of a check, silence costs more than the bound in the title.
  const out = detection(check, failure.how, pacingOf(lab.spec.balancer.behaviour));
  const back = readmission(check);
  const breaking = Date.now();
  const heal = await failure.inject(lab);
  const broken = Date.now();
  const ejected = await changeAfter(lab, breaking, 'out', out.atMost * 3 + 2_000);
  await sleep(check.intervalMs);
  const healing = Date.now();
  await heal();
  const healed = Date.now();
  const readmitted = await changeAfter(lab, healing, 'in', back.atMost * 3 + 2_000);
  // Breaking and healing are commands that take their time; the change itself is somewhere between start and end.
  return {
    // A check that was under way when the backend broke may have been the first to fail.
    ejectedInTime: within(ejected, {
      earliest: breaking + out.atLeast - check.timeoutMs,
      latest: broken + out.atMost + scheduling,
    }),
    readmittedInTime: within(readmitted, {
      earliest: healing + back.atLeast - scheduling,
      latest: healed + back.atMost + scheduling,
    }),
  };
}

function within(at: number, { earliest, latest }: { earliest: number; latest: number }): true | string {
  if (at >= earliest && at <= latest) return true;
  return at < earliest ? `${earliest - at} ms too early` : `${at - latest} ms too late`;
}

/** When m1 left or entered the rotation, as the balancer's own history has it. */
async function changeAfter(lab: Lab, after: number, to: 'in' | 'out', timeout: number): Promise<number> {
  const end = Date.now() + timeout;
  while (Date.now() < end) {
    const { history } = await readBalancerStatus(lab.cx.paths);
    const found = history.find((t) => t.backend === 'm1' && t.to === to && t.at >= after);
    if (found !== undefined) return found.at;
    await sleep(50);
  }
  throw new Error(`m1 did not go ${to} within ${timeout} ms`);
}
