import { describe, expect, test } from 'vitest';
import { doctorText } from '../../../../src/cli/commands/lab-doctor.ts';
import { cgroupFinding } from '../../../../src/lab/doctor/checks/host.ts';
import { enough } from '../../../../src/lab/doctor/checks/room.ts';
import { findProgram } from '../../../../src/lab/doctor/checks/tools.ts';
import { type HostReport, requireFit } from '../../../../src/lab/doctor/diagnose.ts';
import { parseTrials } from '../../../../src/lab/doctor/kernel-trial.ts';

const mount = (id: number, point: string, type: string, options: string) =>
  `${id} 1 0:${id} / ${point} rw,relatime - ${type} ${type} rw,${options}`;
const v1 = ['cpu', 'cpuset', 'memory', 'devices', 'freezer', 'pids'];
const v1Mounts = v1.map((name, i) => mount(30 + i, `/sys/fs/cgroup/${name}`, 'cgroup', name)).join('\n');
const v1Cgroup = v1.map((name, i) => `${i + 2}:${name}:/`).join('\n');

describe('cgroupFinding()', () => {
  test.each([
    { name: 'version 1 alone is fine', cgroup: v1Cgroup, mounts: v1Mounts, finding: { is: 'ok', saw: 'version 1' } },
    {
      name: 'hybrid is fine',
      cgroup: `${v1Cgroup}\n0::/`,
      mounts: `${v1Mounts}\n${mount(50, '/sys/fs/cgroup/unified', 'cgroup2', 'nsdelegate')}`,
      finding: { is: 'ok', saw: 'version 1 with an empty version 2 beside it (hybrid)' },
    },
    {
      name: 'version 2 was never seen',
      cgroup: '0::/user.slice',
      mounts: mount(50, '/sys/fs/cgroup', 'cgroup2', 'nsdelegate'),
      finding: { is: 'unmeasured', saw: 'version 2: not measured, please tell how it went' },
    },
    {
      name: 'a controller is missing',
      cgroup: v1Cgroup.replace(':pids:', ':perf_event:'),
      mounts: v1Mounts,
      finding: {
        is: 'absent',
        saw: 'version 1 without pids',
        remedy: 'mount the missing controllers below /sys/fs/cgroup',
      },
    },
    {
      name: 'nothing is mounted',
      cgroup: '',
      mounts: '',
      finding: {
        is: 'absent',
        saw: 'no hierarchy is mounted',
        remedy: 'mount the missing controllers below /sys/fs/cgroup',
      },
    },
  ])('$name', ({ cgroup, mounts, finding }) => {
    expect(cgroupFinding(cgroup, mounts)).toEqual(finding);
  });
});

test('parseTrials() keeps the words of the kernel', () => {
  const said = 'veth ok\nnetem no: Error: Specified qdisc kind is unknown. \nipvs no: \nnoise\n';
  expect([...parseTrials(said)]).toEqual([
    ['veth', undefined],
    ['netem', 'Error: Specified qdisc kind is unknown.'],
    ['ipvs', 'it failed without a word'],
  ]);
});

test('enough() says what there is and what is wanted', () => {
  expect([enough(9e9, 8e9, 'in /x', 'X'), enough(7e9, 8e9, 'in /x', 'X')]).toEqual([
    { is: 'ok', saw: '9.0 GB free in /x, 8.0 GB wanted' },
    {
      is: 'absent',
      saw: '7.0 GB free in /x, 8.0 GB wanted',
      remedy: 'free some, or point X at a bigger file system',
    },
  ]);
});

test('findProgram() looks along the given path', async () => {
  expect([await findProgram('sh', '/nowhere:/bin'), await findProgram('no-such-program', '/bin')]).toEqual([
    '/bin/sh',
    undefined,
  ]);
});

const unfit: HostReport = {
  tier: 'node',
  fit: false,
  findings: [
    { name: 'host/root', title: 'the command runs as root', finding: { is: 'ok', saw: 'user 0' } },
    {
      name: 'tool/nft',
      title: 'nft is installed',
      finding: { is: 'absent', saw: 'not in PATH', remedy: 'apt install nftables' },
    },
    { name: 'host/cgroup', title: 'cgroups', finding: { is: 'unmeasured', saw: 'version 2' } },
    { name: 'feature/netem', title: 'netem', finding: { is: 'note', saw: 'the kernel does not' } },
    {
      name: 'host/kmsg',
      title: 'the kernel log can be read',
      finding: { is: 'absent', saw: 'no /dev/kmsg', remedy: 'give it' },
    },
  ],
};

describe('requireFit()', () => {
  test('refuses with every reason at once', () => {
    expect(() => requireFit(unfit)).toThrow(
      expect.objectContaining({
        code: 'HOST_UNFIT',
        message: 'This machine cannot run a lab of tier node',
        cause:
          'not so: nft is installed (not in PATH). apt install nftables\nnot so: the kernel log can be read (no /dev/kmsg). give it',
      }) as Error,
    );
  });
  test('says nothing to a machine that is fit', () => {
    expect(requireFit({ ...unfit, fit: true })).toBeUndefined();
  });
});

test('doctorText() has a line for each finding and the remedy where one is needed', () => {
  expect(doctorText(unfit)).toBe(`✔ host/root      user 0
✘ tool/nft       not in PATH
                 needed: nft is installed
                 do:     apt install nftables
? host/cgroup    version 2
· feature/netem  the kernel does not
✘ host/kmsg      no /dev/kmsg
                 needed: the kernel log can be read
                 do:     give it
This machine cannot run labs of tier node: 2 of 5 conditions do not hold.`);
});
