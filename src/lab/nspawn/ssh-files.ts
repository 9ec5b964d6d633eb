import { quoteArg } from '../../std/quote.ts';
import { netnsPath } from '../topology/names.ts';
import type { Topology } from '../topology/topology.ts';

/** A node's public host key as ssh-keygen wrote it, without the comment: `ssh-ed25519 AAAA…`. */
export interface HostKey {
  readonly machine: string;
  readonly publicKey: string;
}

export interface SshFiles {
  readonly identity: string;
  readonly knownHosts: string;
  /** Connects standard streams to ADDRESS and PORT inside the lab. */
  readonly proxy: string;
  /** Where connections are shared; absent where its path is too long for a socket. */
  readonly controlDir: string | undefined;
}

/**
 * What makes `ssh -F FILE m1` work from this machine. The host has no route into the lab: the connection is made by a
 * small program inside the fabric's namespace. Host keys are checked strictly against the lab's own known_hosts.
 */
export function renderSshConfig(topology: Topology, files: SshFiles): string {
  const header = [
    `# ssh configuration of the lab "${topology.spec.name}", made by "hairpin lab up". Use it as: ssh -F THIS-FILE m1`,
    '',
  ];
  const hosts = nodesOf(topology).flatMap((space) => {
    const [address] = space.machine.addresses;
    if (address === undefined) return [];
    return [
      `Host ${[space.machine.name, ...space.machine.addresses.map((a) => a.text)].join(' ')}`,
      `  HostName ${address.text}`,
      `  ProxyCommand ${quote(files.proxy)} %h %p`,
      '',
    ];
  });
  const all = [
    'Host *',
    '  User root',
    `  IdentityFile ${quote(files.identity)}`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${quote(files.knownHosts)}`,
    '  GlobalKnownHostsFile /dev/null',
    '  StrictHostKeyChecking yes',
    '  CheckHostIP no',
    '  UpdateHostKeys no',
    '  ForwardAgent no',
    '  ServerAliveInterval 5',
    '  ServerAliveCountMax 3',
    '  ConnectTimeout 10',
    ...(files.controlDir === undefined
      ? []
      : ['  ControlMaster auto', `  ControlPath ${quote(`${files.controlDir}/%C`)}`, '  ControlPersist 60']),
    '',
  ];
  return [...header, ...hosts, ...all].join('\n');
}

/**
 * The program behind ProxyCommand. It puts itself into the lab's cgroups, so that `lab down` ends it, and with it every
 * ssh that still holds a connection into the lab.
 */
export function renderProxy(topology: Topology, cgroups: readonly string[]): string {
  const socat = ['socat', '-', '"$target"'].join(' ');
  return [
    '#!/bin/sh',
    `# Connects standard streams to an address inside the lab "${topology.spec.name}": ssh-proxy ADDRESS PORT`,
    'case $1 in *:*) target="TCP6:[$1]:$2" ;; *) target="TCP4:$1:$2" ;; esac',
    ...cgroups.map((dir) => `echo 0 > ${quoteArg(`${dir}/cgroup.procs`)} || exit 125`),
    `exec nsenter --net=${netnsPath(topology.fabric.netns)} -- ${socat}`,
    '',
  ].join('\n');
}

export function renderKnownHosts(topology: Topology, keys: readonly HostKey[]): string {
  return nodesOf(topology)
    .flatMap(({ machine }) =>
      keys
        .filter((key) => key.machine === machine.name)
        .map(({ publicKey }) => `${[machine.name, ...machine.addresses.map((a) => a.text)].join(',')} ${publicKey}\n`),
    )
    .join('');
}

/** Machines that have a system of their own; clients are bare namespaces. */
export function nodesOf(topology: Topology): Topology['machines'] {
  return topology.machines.filter(({ machine }) => machine.role !== 'client');
}

function quote(path: string): string {
  return /\s/.test(path) ? `"${path}"` : path;
}
