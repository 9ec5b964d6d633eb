import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import { hostsFile, resolvConf } from '../tier/namespace-exec.ts';
import type { LabContext } from '../tier/tier.ts';
import type { MachineSpace } from '../topology/topology.ts';
import { cloneStore } from './image-store.ts';
import { type MachineDirs, machineDirs } from './machine-dirs.ts';
import { machineNetwork } from './machine-network.ts';
import { networkScript } from './network-script.ts';
import { hostKey, userKey } from './ssh-keys.ts';

/** etcd keeps 128 MB of log ahead and a database of some tens; its own quota is 2 GB. Sparse: it takes what is written. */
const etcdDiskBytes = 1024 * 1024 * 1024;

/** Makes the directories of a node that is not there yet, and writes into them what makes it this node and no other. */
export async function seedMachine(cx: LabContext, space: MachineSpace, store: string | undefined): Promise<void> {
  const dirs = machineDirs(cx.paths, space.machine.name);
  const fresh = (await stat(dirs.upper).catch(() => undefined)) === undefined;
  for (const dir of [dirs.upper, dirs.work, dirs.merged, dirs.kubelet, dirs.etcd, dirs.etcdMount]) {
    await mkdir(dir, { recursive: true, mode: 0o755 });
  }
  // What follows from the lab, which a restored node may find under another name.
  await put(dirs, '/etc/hostname', `${space.machine.name}\n`);
  await put(dirs, '/etc/hosts', hostsFile(cx.topology, space.machine.name));
  await put(dirs, '/etc/resolv.conf', resolvConf(cx.topology));
  await writeFile(dirs.networkScript, networkScript(cx.topology, space, machineNetwork(cx.topology, space)), {
    mode: 0o700,
  });
  if (!fresh) return;
  // The base has one that D-Bus's package made, which all nodes would share.
  await put(dirs, '/etc/machine-id', `${randomUUID().replaceAll('-', '')}\n`, 0o444);
  await put(dirs, '/etc/ssh/lab_authorized_keys', await readFile(`${userKey(cx.paths)}.pub`));
  await put(dirs, '/etc/ssh/ssh_host_ed25519_key', await readFile(hostKey(cx.paths, space.machine.name)), 0o600);
  await put(dirs, '/etc/ssh/ssh_host_ed25519_key.pub', await readFile(`${hostKey(cx.paths, space.machine.name)}.pub`));
  if (store === undefined) {
    await mkdir(dirs.containerd, { recursive: true });
  } else {
    await writeFile(dirs.store, `${store}\n`);
    await cloneStore(store, dirs.containerd, { signal: cx.signal });
  }
  if (space.machine.role === 'control-plane') await makeEtcdDisk(cx, dirs);
}

/** Without loop devices etcd's directory is on the host's disk, and `lab break disk-full` says that it cannot. */
async function makeEtcdDisk(cx: LabContext, dirs: MachineDirs): Promise<void> {
  if ((await stat('/dev/loop-control').catch(() => undefined)) === undefined) return;
  await writeFile(dirs.etcdImage, '', { mode: 0o600 });
  const run = async (argv: readonly string[]) => {
    const result = await cx.run(argv);
    if (result.exitCode === 0) return;
    throw new OperatorError('TOOL_FAILED', `Cannot make a disk for etcd in ${dirs.root}`, {
      cause: result.stderr.trim(),
    });
  };
  await run(['truncate', `--size=${etcdDiskBytes}`, dirs.etcdImage]);
  // No journal: a power-off in the lab ends processes, never the kernel that holds what they wrote.
  await run(['mkfs.ext4', '-q', '-m', '0', '-O', '^has_journal', '-E', 'lazy_itable_init=1', dirs.etcdImage]);
}

async function put(dirs: MachineDirs, path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const full = join(dirs.upper, path);
  await mkdir(dirname(full), { recursive: true, mode: 0o755 });
  await writeFile(full, content);
  await chmod(full, mode);
}
