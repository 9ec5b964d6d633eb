import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inNetns } from '../commands/command.ts';
import type { Topology } from '../topology/topology.ts';
import type { LabContext } from './tier.ts';

/** The files of /etc that a machine without a root of its own has for itself. */
const ownFiles = ['resolv.conf', 'hosts', 'hostname'] as const;

/**
 * The argv that runs `argv` in a machine that is a namespace only: its network, its host name, the lab's DNS server and
 * an /etc/hosts of its own; everything else is this machine's. The mounts are private to the command.
 */
export function namespaceExec(
  cx: LabContext,
  machine: string,
  netns: string,
  argv: readonly string[],
): readonly string[] {
  const dir = cx.paths.node(machine);
  const binds = ownFiles.map((file) => `mount --bind ${quote(join(dir, file))} /etc/${file}`).join(' && ');
  const script = `hostname ${machine} && ${binds} || exit 126; exec "$@"`;
  return inNetns(netns, [
    'unshare',
    '--mount',
    '--uts',
    '--propagation',
    'private',
    'sh',
    '-c',
    script,
    machine,
    ...argv,
  ]);
}

/** Writes those files. Done for machines of the wire tier and for outside clients of both tiers. */
export async function writeNamespaceFiles(cx: LabContext, machines: readonly string[]): Promise<void> {
  await Promise.all(
    machines.map(async (machine) => {
      const dir = cx.paths.node(machine);
      await mkdir(dir, { recursive: true, mode: 0o755 });
      await Promise.all([
        writeFile(join(dir, 'resolv.conf'), resolvConf(cx.topology)),
        writeFile(join(dir, 'hosts'), hostsFile(cx.topology, machine)),
        writeFile(join(dir, 'hostname'), `${machine}\n`),
      ]);
    }),
  );
}

export function resolvConf(topology: Topology): string {
  return topology.dns.addresses.map((a) => `nameserver ${a.text}\n`).join('');
}

/** Machines know each other by name, as with any provisioning; the endpoint is never here: that is DNS's. */
export function hostsFile(topology: Topology, self: string): string {
  const machines = topology.machines.flatMap(({ machine }) =>
    machine.addresses.map((a) => `${a.text} ${machine.name}\n`),
  );
  const pod = topology.pods.some(({ name }) => name === self) ? [`127.0.0.1 ${self}\n`] : [];
  return ['127.0.0.1 localhost\n', '::1 localhost ip6-localhost ip6-loopback\n', ...pod, ...machines].join('');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
