/** One mounted cgroup hierarchy and the directory in it that the reading process is in. */
export interface Hierarchy {
  /** `pids`, `cpu,cpuacct`, `name=systemd`, or `` for version 2. */
  readonly controllers: string;
  readonly mountPoint: string;
  /** The reader's own cgroup as a directory of this machine. */
  readonly own: string;
}

/**
 * Reads `/proc/self/cgroup` and `/proc/self/mountinfo`. A hierarchy that is not mounted, or whose mount does not show
 * the reader's own cgroup, is left out: nothing can be made there.
 */
export function parseHierarchies(cgroupText: string, mountinfoText: string): readonly Hierarchy[] {
  const mounts = mountinfoText.split('\n').flatMap(parseMount);
  return cgroupText.split('\n').flatMap((line) => {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
    if (match === null) return [];
    const [, controllers = '', path = '/'] = match;
    const mount = mounts.findLast((candidate) => serves(candidate, controllers));
    const own = mount === undefined ? undefined : directoryOf(mount, path);
    return mount === undefined || own === undefined ? [] : [{ controllers, mountPoint: mount.point, own }];
  });
}

interface CgroupMount {
  readonly root: string;
  readonly point: string;
  readonly version: 1 | 2;
  readonly options: readonly string[];
}

/** A line is `36 35 0:31 /root /mount/point rw,… shared:9 - cgroup cgroup rw,pids`. */
function parseMount(line: string): CgroupMount[] {
  const [left = '', right = ''] = line.split(' - ');
  const [, , , root, point] = left.split(' ');
  const [type, , options = ''] = right.split(' ');
  if (root === undefined || point === undefined) return [];
  if (type === 'cgroup2') return [{ root, point: unescapeMount(point), version: 2, options: [] }];
  if (type === 'cgroup') return [{ root, point: unescapeMount(point), version: 1, options: options.split(',') }];
  return [];
}

function serves(mount: CgroupMount, controllers: string): boolean {
  if (controllers === '') return mount.version === 2;
  return mount.version === 1 && controllers.split(',').every((name) => mount.options.includes(name));
}

/** Below a cgroup namespace the mount's root is not `/`; a path outside of it cannot be reached. */
function directoryOf(mount: CgroupMount, path: string): string | undefined {
  if (mount.root === '/') return join(mount.point, path);
  if (path === mount.root) return mount.point;
  return path.startsWith(`${mount.root}/`) ? join(mount.point, path.slice(mount.root.length)) : undefined;
}

function join(point: string, path: string): string {
  return path === '/' ? point : `${point}${path}`;
}

/** The kernel writes blanks in mount points as octal. */
function unescapeMount(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
