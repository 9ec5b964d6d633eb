import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { breakLab, healFaults, type Lab, startLab, stopLab } from '../../src/index.ts';
import { labSpec } from '../support/lab-spec.ts';

const name = 't-core-proc';
let lab: Lab;
beforeAll(async () => {
  lab = await startLab(labSpec({ name, tier: 'node', masters: 1, workers: 0 }));
});
afterAll(async () => void (await stopLab(name)));

const inside = async (script: string) => (await lab.exec('m1', ['sh', '-c', script])).stdout.trim();

describe('`stop` on a real node', () => {
  test('holds a unit down, also against its own restarts, until it is healed', async () => {
    expect(await inside('systemctl is-active containerd')).toBe('active');
    await breakLab(lab, { fault: 'stop', target: 'm1', process: 'containerd' });
    // Longer than the five seconds after which its unit would start it again.
    await sleep(7_000);
    expect(
      await inside('systemctl start containerd 2>/dev/null; systemctl is-active containerd; pgrep -x containerd'),
    ).not.toMatch(/^active|\d/m);
    await healFaults(lab);
    expect(await inside('systemctl is-active containerd')).toBe('active');
  });

  test('holds a static pod down by taking its manifest away, and puts it back', async () => {
    const manifest = '/etc/kubernetes/manifests/kube-scheduler.yaml';
    // A program of that name: what the kubelet makes of the manifest is the business of the drills.
    await inside(
      `mkdir -p /etc/kubernetes/manifests && echo kept > ${manifest} && cp /bin/sleep /usr/local/bin/kube-scheduler && systemd-run --quiet /usr/local/bin/kube-scheduler 600`,
    );
    await breakLab(lab, { fault: 'stop', target: 'm1', process: 'kube-scheduler' });
    expect(await inside(`ls ${manifest} 2>/dev/null; pgrep -f '^/usr/local/bin/kube-scheduler'`)).toBe('');
    await healFaults(lab);
    expect(await inside(`cat ${manifest}`)).toBe('kept');
  });
});

test('`freeze` stops a process of a real node where it is, and healing lets it go on', async () => {
  const state = () => inside('ps -o stat= -p $(pgrep -xo containerd) | cut -c1');
  expect(await state()).toBe('S');
  await breakLab(lab, { fault: 'freeze', target: 'm1', process: 'containerd' });
  expect(await state()).toBe('T');
  await healFaults(lab);
  expect(await state()).toBe('S');
});
