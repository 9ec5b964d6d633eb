import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { breakLab, healFaults, type Lab, startLab, stopLab } from '../../src/index.ts';
import { adminPassword } from '../../src/lab/nspawn/node-files.ts';
import { runProcess } from '../../src/node/process.ts';
import { hairpin } from '../support/hairpin.ts';
import { labSpec } from '../support/lab-spec.ts';
import { hostState, tracesOf } from '../support/lab-traces.ts';

const name = 't-node';
const before = hostState();
let lab: Lab;

beforeAll(async () => {
  await stopLab(name);
  lab = await startLab(labSpec({ name, tier: 'node', masters: 1, workers: 1, balancer: 'drop' }));
});
afterAll(async () => void (await stopLab(name)));

/** As a user does it, with the file that `lab up` wrote and nothing else. */
async function ssh(args: readonly string[], opts: { stdin?: string; config?: string } = {}) {
  const config = opts.config ?? lab.cx.paths.sshConfig;
  const { exitCode, stdout, stderr } = await runProcess(['ssh', '-F', config, '-o', 'BatchMode=yes', ...args], opts);
  return { exitCode, stdout, stderr };
}

const inside = async (machine: string, script: string) => {
  const { exitCode, stdout, stderr } = await lab.exec(machine, ['sh', '-c', script]);
  return { exitCode, stdout, stderr };
};

describe('ssh', () => {
  test('lets in root, and a user who may become root without a password', async () => {
    const root = await ssh(['m1', 'hostname; id -un; systemctl is-system-running']);
    expect(root).toEqual({ exitCode: 0, stdout: 'm1\nroot\nrunning\n', stderr: '' });
    const ops = await ssh(['ops@w1', 'hostname; id -un; sudo -n id -un']);
    expect(ops).toEqual({ exitCode: 0, stdout: 'w1\nops\nroot\n', stderr: '' });
  });

  test('lets in a user who has to give a password to become root, and takes only the right one', async () => {
    const sudo = async (password: string) =>
      (await ssh(['admin@m1', 'sudo -k -S -p "" id -un'], { stdin: `${password}\n` })).stdout;
    expect([await sudo('wrong'), await sudo(adminPassword)]).toEqual(['', 'root\n']);
    expect(await ssh(['admin@m1', 'sudo -n true'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('password is required'),
    });
  });

  test('reaches a node by its address as well, and passes input, output and exit code through', async () => {
    const [address] = lab.spec.machines[0]?.addresses ?? [];
    const result = await ssh([address?.text ?? '', 'cat; echo said >&2; exit 7'], { stdin: 'given' });
    expect(result).toEqual({ exitCode: 7, stdout: 'given', stderr: 'said\n' });
  });

  test('refuses a node whose host key is another one', async () => {
    const { sshConfig, knownHosts, root } = lab.cx.paths;
    const [m1 = '', w1 = ''] = readFileSync(knownHosts, 'utf8').trim().split('\n');
    const [names = ''] = m1.split(' ');
    const swapped = join(root, 'swapped');
    writeFileSync(swapped, `${names} ${w1.split(' ').slice(1).join(' ')}\n`);
    const config = join(root, 'swapped_config');
    writeFileSync(config, readFileSync(sshConfig, 'utf8').replaceAll(knownHosts, swapped));
    const result = await ssh(['-o', 'ControlPath=none', 'm1', 'true'], { config });
    expect(result.exitCode).toBe(255);
    expect(result.stderr).toContain('Host key verification failed');
  });

  test('gives each node a key of its own', () => {
    const keys = readFileSync(lab.cx.paths.knownHosts, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[2]);
    expect(new Set(keys).size).toBe(2);
  });
});

describe('a node', () => {
  test('is ready for kubeadm: every preflight check passes but those that are the host’s', async () => {
    const result = await inside('m1', 'kubeadm init phase preflight --ignore-preflight-errors=SystemVerification,Swap');
    expect(result).toMatchObject({ exitCode: 0 });
  });

  test('has the images of its version, shared with the other nodes on the disk', async () => {
    const wanted = (await inside('m1', 'kubeadm config images list --kubernetes-version=$(kubeadm version -o short)'))
      .stdout;
    const there = (await inside('m1', 'ctr -n k8s.io images ls -q 2>/dev/null')).stdout;
    for (const ref of wanted.trim().split('\n')) expect(there.split('\n')).toContain(ref);
    const blobs = (machine: string) =>
      join(lab.cx.paths.node(machine), 'containerd/io.containerd.content.v1.content/blobs/sha256');
    const inodes = (machine: string) => execFileSync('ls', ['-i', blobs(machine)], { encoding: 'utf8' });
    expect(inodes('m1')).toBe(inodes('w1'));
  });

  test('sees the values that the kubelet wants, while the host keeps its own', async () => {
    const { stdout } = await inside(
      'm1',
      'cat /proc/sys/vm/overcommit_memory /proc/sys/kernel/panic /proc/sys/kernel/panic_on_oops',
    );
    expect(stdout).toBe('1\n10\n1\n');
    expect(hostState()).toEqual(before);
  });

  test('runs in the lab’s cgroups, which are its root, and mounts nothing out here', async () => {
    const { stdout } = await inside('m1', 'cat /proc/1/cgroup');
    expect(stdout).not.toContain('hairpin');
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(lab.cx.paths.root);
  });

  test('`lab exec` runs as root with a login’s environment and passes the exit code through', async () => {
    const result = await hairpin(['lab', 'exec', '--lab', name, 'w1', '--', 'sh', '-c', 'cat; echo $HOME; exit 9'], {
      stdin: 'in ',
    });
    expect(result).toMatchObject({ code: 9, stdout: 'in /root\n' });
  });
});

describe('power', () => {
  const state = async (machine: string) => await lab.tier.state(lab.cx, machine);
  const bootId = async () =>
    (await inside('w1', 'cat /run/hairpin-lab/ready; stat -c %Y /run/hairpin-lab/ready; readlink /proc/1/ns/pid'))
      .stdout;
  const hardware = async () => (await inside('w1', 'cat /sys/class/net/eth0/address')).stdout;
  const connect = async () => {
    const start = performance.now();
    const { exitCode } = await inside('m1', 'timeout 2 bash -c "exec 3<>/dev/tcp/172.16.104.55/22"');
    return { exitCode, silent: performance.now() - start > 1_900 };
  };

  test('power-off: the node is gone without a word; healed, it has its files and a fresh kernel network', async () => {
    await inside('w1', 'echo kept > /root/kept; sync; nft add table inet leftover; ip address add 192.0.2.9/32 dev lo');
    const [boot, mac] = [await bootId(), await hardware()];
    await breakLab(lab, { fault: 'power-off', target: 'w1' });
    expect([await state('w1'), await connect()]).toEqual(['off', { exitCode: 124, silent: true }]);
    await expect(async () => lab.argvIn('w1', ['true'])).rejects.toMatchObject({ code: 'LAB_NODE_DOWN' });
    await healFaults(lab);
    expect(await state('w1')).toBe('running');
    expect(await bootId()).not.toBe(boot);
    const found = await inside('w1', 'cat /root/kept; nft list tables; ip -o address show dev lo scope global');
    expect(found).toEqual({ exitCode: 0, stdout: 'kept\n', stderr: '' });
    expect([await hardware(), (await connect()).exitCode, (await ssh(['w1', 'true'])).exitCode]).toEqual([mac, 0, 0]);
  });

  test('reboot: the node comes back by itself', async () => {
    const boot = await bootId();
    await breakLab(lab, { fault: 'reboot', target: 'w1' });
    await healFaults(lab);
    expect([await state('w1'), (await bootId()) === boot, (await ssh(['w1', 'true'])).exitCode]).toEqual([
      'running',
      false,
      0,
    ]);
  });

  test('a node that powers itself off is as silent as one whose power was cut', async () => {
    await inside('w1', 'systemctl poweroff');
    await expect.poll(() => state('w1'), { timeout: 20_000 }).toBe('off');
    expect(await connect()).toEqual({ exitCode: 124, silent: true });
    await lab.tier.startMachine(lab.cx, 'w1');
    expect((await connect()).exitCode).toBe(0);
  });

  test('disk-full: etcd’s disk takes no byte more, and the host’s is not touched', async () => {
    if (!existsSync('/dev/loop-control')) return;
    const write = async () => await inside('m1', 'dd if=/dev/zero of=/var/lib/etcd/more bs=4k count=1 conv=fsync');
    await breakLab(lab, { fault: 'disk-full', target: 'm1' });
    expect(await write()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('No space left on device') });
    expect((await inside('m1', 'dd if=/dev/zero of=/root/more bs=4k count=1')).exitCode).toBe(0);
    await healFaults(lab);
    expect(await write()).toMatchObject({ exitCode: 0 });
    await expect(breakLab(lab, { fault: 'disk-full', target: 'w1' })).rejects.toMatchObject({ code: 'LAB_FAULT' });
  });
});

test('`lab down` leaves nothing, with a shared ssh connection still open', async () => {
  expect((await ssh(['m1', 'true'])).exitCode).toBe(0);
  expect(readdirSync(join(lab.cx.paths.root, 'ctl'))).not.toEqual([]);
  await stopLab(name);
  await expect.poll(() => tracesOf(name), { timeout: 5_000 }).toEqual([]);
  expect(hostState()).toEqual(before);
});
