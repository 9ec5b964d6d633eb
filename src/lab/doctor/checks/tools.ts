import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Tier } from '../../spec/lab-spec.ts';
import type { HostCheck } from '../check.ts';

interface Tool {
  readonly program: string;
  readonly apt: string;
  readonly why: string;
  readonly tiers: readonly Tier[];
}

const both = ['wire', 'node'] as const;
const node = ['node'] as const;

const tools: readonly Tool[] = [
  { program: 'ip', apt: 'iproute2', why: 'namespaces, links and routes', tiers: both },
  { program: 'nft', apt: 'nftables', why: 'the balancer and the faults', tiers: both },
  { program: 'conntrack', apt: 'conntrack', why: 'flows through the balancer', tiers: both },
  { program: 'haproxy', apt: 'haproxy', why: 'the behaviour `proxy`', tiers: both },
  { program: 'keepalived', apt: 'keepalived', why: 'checking the configurations that strategies write', tiers: both },
  { program: 'dnsmasq', apt: 'dnsmasq-base', why: 'the DNS server of the lab', tiers: both },
  { program: 'openssl', apt: 'openssl', why: 'certificates', tiers: both },
  { program: 'unshare', apt: 'util-linux', why: 'namespaces of processes and mounts', tiers: both },
  { program: 'setpriv', apt: 'util-linux', why: 'processes that end with their parent', tiers: both },
  { program: 'flock', apt: 'util-linux', why: 'one build at a time', tiers: both },
  { program: 'ssh', apt: 'openssh-client', why: 'reaching nodes', tiers: node },
  { program: 'ssh-keygen', apt: 'openssh-client', why: 'keys of nodes and users', tiers: node },
  { program: 'socat', apt: 'socat', why: 'the way of ssh into the lab', tiers: node },
  { program: 'systemd-nspawn', apt: 'systemd-container', why: 'nodes', tiers: node },
  { program: 'debootstrap', apt: 'debootstrap', why: 'the base image', tiers: node },
  { program: 'curl', apt: 'curl', why: 'fetching releases', tiers: node },
];

/** Only looks for the files: starting sixteen programs for their versions would take longer than a wire-tier lab. */
export const toolChecks: readonly HostCheck[] = tools.map(({ program, apt, why, tiers }) => ({
  name: `tool/${program}`,
  title: `${program} is installed (${why})`,
  tiers,
  async ask() {
    const path = await findProgram(program);
    if (path !== undefined) return { is: 'ok', saw: path };
    return { is: 'absent', saw: 'not in PATH', remedy: `apt install ${apt}, or make install` };
  },
}));

/** The system directories are searched as well: a sudo without them in its PATH still runs what is there. */
export async function findProgram(name: string, path = process.env.PATH ?? ''): Promise<string | undefined> {
  for (const dir of [...path.split(delimiter), '/usr/sbin', '/sbin'].filter((part) => part !== '')) {
    const full = join(dir, name);
    const found = await access(full, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return full;
  }
  return undefined;
}
