import { describe, expect, test } from 'vitest';
import { enterArgv } from '../../../src/lab/cgroup/cgroup.ts';
import { parseHierarchies } from '../../../src/lab/cgroup/hierarchies.ts';

describe('parseHierarchies()', () => {
  test('a hybrid machine has its version 1 controllers and the unified hierarchy', () => {
    const cgroup = ['9:name=systemd:/', '4:memory:/process_api/5f18', '2:cpu,cpuacct:/', '0::/', ''].join('\n');
    const mountinfo = [
      '30 24 0:26 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755',
      '31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct',
      '36 30 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory',
      '40 30 0:36 / /sys/fs/cgroup/systemd rw,relatime - cgroup systemd rw,name=systemd',
      '41 30 0:37 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
      '',
    ].join('\n');
    expect(parseHierarchies(cgroup, mountinfo)).toEqual([
      { controllers: 'name=systemd', mountPoint: '/sys/fs/cgroup/systemd', own: '/sys/fs/cgroup/systemd' },
      { controllers: 'memory', mountPoint: '/sys/fs/cgroup/memory', own: '/sys/fs/cgroup/memory/process_api/5f18' },
      { controllers: 'cpu,cpuacct', mountPoint: '/sys/fs/cgroup/cpu,cpuacct', own: '/sys/fs/cgroup/cpu,cpuacct' },
      { controllers: '', mountPoint: '/sys/fs/cgroup/unified', own: '/sys/fs/cgroup/unified' },
    ]);
  });

  test('a version 2 machine has one hierarchy', () => {
    const mountinfo = '29 23 0:25 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n';
    expect(parseHierarchies('0::/user.slice/user-0.slice/session-3.scope\n', mountinfo)).toEqual([
      {
        controllers: '',
        mountPoint: '/sys/fs/cgroup',
        own: '/sys/fs/cgroup/user.slice/user-0.slice/session-3.scope',
      },
    ]);
  });

  test('in a container the mount shows a part of the hierarchy, and paths are below it', () => {
    const mountinfo = [
      '50 40 0:32 /docker/ab /sys/fs/cgroup/memory ro,relatime - cgroup cgroup rw,memory',
      '51 40 0:33 /docker/ab /sys/fs/cgroup/pids ro,relatime - cgroup cgroup rw,pids',
      '',
    ].join('\n');
    expect(parseHierarchies('4:memory:/docker/ab/job\n5:pids:/docker/ab\n', mountinfo)).toEqual([
      { controllers: 'memory', mountPoint: '/sys/fs/cgroup/memory', own: '/sys/fs/cgroup/memory/job' },
      { controllers: 'pids', mountPoint: '/sys/fs/cgroup/pids', own: '/sys/fs/cgroup/pids' },
    ]);
  });

  test('a hierarchy that is not mounted, or whose mount shows other cgroups, is left out', () => {
    const mountinfo = '50 40 0:32 /docker/ab /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n';
    expect(parseHierarchies('4:memory:/docker/abc\n5:pids:/\n', mountinfo)).toEqual([]);
  });

  test('the mount point may hold blanks', () => {
    const mountinfo = '50 40 0:32 / /mnt/my\\040groups rw - cgroup2 none rw\n';
    expect(parseHierarchies('0::/a\n', mountinfo)).toEqual([
      { controllers: '', mountPoint: '/mnt/my groups', own: '/mnt/my groups/a' },
    ]);
  });
});

test('enterArgv() moves the shell, which then becomes the command', () => {
  expect(enterArgv(['/sys/fs/cgroup/pids/hairpin/lab', '/sys/fs/cgroup/hairpin/lab'], ['ip', 'link']).slice(3)).toEqual(
    [
      'hairpin-lab',
      '/sys/fs/cgroup/pids/hairpin/lab/cgroup.procs',
      '/sys/fs/cgroup/hairpin/lab/cgroup.procs',
      '--',
      'ip',
      'link',
    ],
  );
});
