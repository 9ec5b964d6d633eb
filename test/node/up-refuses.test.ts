import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type BreakRequest, breakLab, healFaults } from '../../src/index.ts';
import { differences, fileSystem, UpLab } from '../support/up-lab.ts';

// Everything that `up` has to notice before it changes anything, made for real on nodes that have no cluster yet. A clock
// that is off cannot be made here (nodes share the machine's): test/unit/plan/blockers.test.ts has it from recorded facts.

let lab: UpLab;
const before = new Map<string, readonly string[]>();

beforeAll(async () => {
  lab = await UpLab.start({ name: 't-up-refuses', masters: 2 });
  // The lab's own user who has to give a password to sudo.
  for (const node of lab.nodes) await lab.sh(node, "echo 'admin:correct horse' | chpasswd");
  for (const node of lab.nodes) before.set(node, await fileSystem(lab, node));
});
afterAll(async () => lab?.[Symbol.asyncDispose]());

interface Refusal {
  readonly name: string;
  /** On m2, as root; `heal` undoes it. */
  readonly breaks?: string;
  readonly heal?: string;
  readonly fault?: BreakRequest;
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly says: readonly string[];
}

const refusals: readonly Refusal[] = [
  {
    name: 'a node that is down',
    fault: { fault: 'power-off', target: 'm2' },
    says: ['NODE_UNREACHABLE', 'Cannot reach node m2'],
  },
  {
    name: 'another host key than the known one',
    breaks: 'mkdir /root/kept && mv /etc/ssh/ssh_host_* /root/kept && ssh-keygen -qA && systemctl restart ssh',
    heal: 'rm /etc/ssh/ssh_host_* && mv /root/kept/* /etc/ssh && rmdir /root/kept && systemctl restart ssh',
    says: ['NODE_HOST_KEY', 'm2', 'host key'],
  },
  {
    name: 'a wrong sudo password',
    user: 'admin',
    env: { HAIRPIN_SUDO_PASSWORD: 'wrong donkey' },
    says: ['NODE_SUDO', 'password is wrong'],
  },
  {
    name: 'a full disk',
    breaks: 'mkdir -p /var/lib/etcd && mount -t tmpfs -o size=64m tmpfs /var/lib/etcd',
    heal: 'umount /var/lib/etcd',
    says: ['/var/lib/etcd on m2 has 64 MiB', 'DISK_FULL'],
  },
  {
    name: 'a port in use',
    breaks: 'systemd-run --quiet --unit=squatter socat TCP-LISTEN:6443,fork,reuseaddr OPEN:/dev/null',
    heal: 'systemctl stop squatter',
    says: ['port 6443 on m2 is taken by socat', 'PORT_IN_USE'],
  },
  {
    name: 'an old kubeadm on one node',
    breaks: 'printf "#!/bin/sh\\necho v1.31.9\\n" >/usr/local/bin/kubeadm && chmod 755 /usr/local/bin/kubeadm',
    heal: 'rm /usr/local/bin/kubeadm',
    says: ['kubeadm on m2 is v1.31.9, the cluster is to be v1.37.2', 'WRONG_VERSION'],
  },
  {
    name: 'a balancer that does not answer',
    fault: { fault: 'balancer-down' },
    says: ['The balancer of t-up-refuses does not carry connections'],
  },
];

describe.each(refusals)('$name', ({ breaks, heal, fault, env = {}, user, says }) => {
  beforeEach(async () => {
    if (breaks !== undefined) await onM2(breaks);
    if (fault !== undefined) await breakLab(lab.lab, fault);
    if (user !== undefined) await lab.edit((document) => document.setIn(['spec', 'ssh', 'user'], user));
  });
  afterEach(async () => {
    if (heal !== undefined) await onM2(heal);
    if (fault !== undefined) await healFaults(lab.lab);
    await lab.edit((document) => document.setIn(['spec', 'ssh', 'user'], 'root'));
  });

  test('has its own error, and nothing was changed', async () => {
    const run = await lab.hairpinWith(env, 'up', '--yes', '--strategy', 'steer');
    expect(run.code, run.told).toBe(1);
    expect(run.result, run.told).toMatchObject({ error: { code: 'PREFLIGHT_FAILED' } });
    for (const words of [...says, 'Nothing was changed']) expect(run.told).toContain(words);
    expect(run.told).not.toContain('wrong donkey');
    for (const node of lab.nodes.filter((name) => !(fault?.fault === 'power-off' && name === fault.target))) {
      // What the test itself did to m2 is not what `up` did; a boot is in wtmp.
      const changes = differences(before.get(node) ?? [], await fileSystem(lab, node));
      expect(
        changes.filter(
          (line) => !/ssh_host_|\/root\/kept|\/usr\/local\/bin\/kubeadm|\/var\/lib\/etcd|\/var\/log\/wtmp/.test(line),
        ),
        node,
      ).toEqual([]);
      expect(
        await lab.sh(
          node,
          'ls -d /var/lib/hairpin /etc/hairpin /run/hairpin/lock /run/hairpin/*.yaml 2>/dev/null; nft list tables | grep hairpin',
        ),
      ).toBe('');
    }
  });
});

async function onM2(script: string): Promise<void> {
  const { exitCode, stderr } = await lab.trySh('m2', `set -e; ${script}`);
  if (exitCode !== 0) throw new Error(`m2: ${script}: ${stderr}`);
}
