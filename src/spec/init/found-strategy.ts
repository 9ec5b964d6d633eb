import { type Address, sameAddress } from '../../std/address.ts';
import { list } from '../rules/words.ts';
import type { ClusterFile } from '../schema.ts';
import type { AdoptedNode } from './adopted-nodes.ts';
import type { ClusterEvidence, MasterEvidence } from './evidence.ts';
import { haproxyPorts, hostsEntries, readIpAddr } from './host-files.ts';
import { readKeepalivedConf, type VrrpInstance } from './keepalived-conf.ts';
import type { Remark } from './print.ts';

type Strategy = NonNullable<ClusterFile['spec']['strategy']>;

export interface FoundStrategy {
  readonly strategy: Strategy;
  readonly remarks: readonly Remark[];
  /** Addresses that hosts files or keepalived gave a named endpoint. */
  readonly addresses: readonly Address[];
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly address: Address | undefined;
}

interface Seen {
  readonly node: AdoptedNode;
  readonly evidence: MasterEvidence;
  readonly inHosts: readonly Address[];
  readonly instances: readonly VrrpInstance[];
  readonly holds: readonly { readonly interface: string; readonly address: Address }[];
}

/** What people have done on the masters so far so that they reach their endpoint: hosts files, a bound VIP, keepalived. */
export function foundStrategy(
  evidence: ClusterEvidence,
  endpoint: Endpoint,
  masters: readonly AdoptedNode[],
): FoundStrategy {
  const seen = masters.flatMap((node): Seen[] => {
    const found = evidence.masters.find((master) => master.node === node.name);
    if (found === undefined || found.unreachable !== undefined) return [];
    return [look(node, found, endpoint)];
  });
  const unseen = evidence.masters.filter((master) => master.unreachable !== undefined);
  const remarks: Remark[] = unseen.map((master) => ({
    at: ['spec', 'nodes', masters.findIndex((node) => node.name === master.node)],
    text: `${master.node} could not be looked at: ${master.unreachable ?? ''}`,
  }));
  const found =
    fromHosts(seen, endpoint) ??
    fromKeepalived(seen, endpoint, evidence.apiServerPort) ??
    fromBoundVip(seen) ??
    nothing(seen);
  return { ...found, remarks: [...remarks, ...found.remarks] };
}

function look(node: AdoptedNode, evidence: MasterEvidence, endpoint: Endpoint): Seen {
  const inHosts = endpoint.address === undefined ? hostsEntries(evidence.hosts ?? '', endpoint.host) : [];
  const instances = readKeepalivedConf(evidence.keepalived ?? '');
  // A named endpoint stands for whatever VIP keepalived or another master's hosts file knows.
  const vips = endpoint.address === undefined ? instances.flatMap((i) => i.addresses) : [endpoint.address];
  const own = new Set(node.addresses);
  const holds = readIpAddr(evidence.addresses ?? '').filter(
    (held) => !own.has(held.address.text) && vips.some((vip) => sameAddress(vip, held.address)),
  );
  return {
    node,
    evidence,
    inHosts,
    instances: instances.filter((i) => i.addresses.some((a) => vips.some((v) => sameAddress(a, v)))),
    holds,
  };
}

function fromHosts(seen: readonly Seen[], endpoint: Endpoint): FoundStrategy | undefined {
  if (endpoint.address !== undefined || seen.every((s) => s.inHosts.length === 0)) return undefined;
  const isLoopback = (a: Address) => a.text.startsWith('127.') || a.text === '::1';
  const toSelf = seen.filter((s) => s.inHosts.some((a) => isLoopback(a) || s.node.addresses.includes(a.text)));
  const elsewhere = seen.filter((s) => s.inHosts.length > 0 && !toSelf.includes(s));
  const without = seen.filter((s) => s.inHosts.length === 0);
  const addresses = unique(elsewhere.flatMap((s) => s.inHosts));
  const remarks: Remark[] = [
    {
      at: ['spec', 'strategy'],
      text: `Found: /etc/hosts sends ${endpoint.host} to the master itself on ${names(toSelf)}.`,
    },
    ...elsewhere.map(
      (s): Remark => ({
        at: ['spec', 'strategy'],
        text: `${s.node.name} sends it to ${list(s.inHosts.map((a) => a.text))}: it still loses what the balancer sends back to it.`,
      }),
    ),
    ...(without.length === 0 ? [] : [{ at: ['spec', 'strategy'], text: `${names(without)} without an entry.` }]),
  ];
  const loopback = toSelf.length > 0 && toSelf.every((s) => s.inHosts.some(isLoopback));
  return { strategy: { hosts: { to: loopback ? 'loopback' : 'own-address' } }, remarks, addresses };
}

function fromKeepalived(seen: readonly Seen[], endpoint: Endpoint, apiServerPort: number): FoundStrategy | undefined {
  const claiming = seen.filter((s) => s.instances.length > 0);
  const [first] = claiming.flatMap((s) => s.instances);
  if (first === undefined) return undefined;
  const at = ['spec', 'strategy'];
  const holders = seen.filter((s) => s.holds.length > 0);
  const withProxy = claiming.filter((s) => haproxyPorts(s.evidence.haproxy ?? '').includes(endpoint.port));
  const claim = `Found: keepalived on ${names(claiming)} claims ${list(first.addresses.map((a) => a.text))}; held by ${names(holders)}.`;
  const addresses = endpoint.address === undefined ? first.addresses : [];
  if (holders.length <= 1 && seen.length > 1) {
    const options = {
      ...(first.interface === undefined ? {} : { interface: first.interface }),
      ...(first.routerId === undefined ? {} : { routerId: first.routerId }),
    };
    const text = `${claim}\nOne holder: a VIP that VRRP moves, without a balancer. If there is a balancer behind it, take another strategy.`;
    return { strategy: { 'keepalived-vip': options }, remarks: [{ at, text }], addresses };
  }
  if (withProxy.length === 0 && endpoint.port === apiServerPort) {
    const text = `${claim}\nNo haproxy stands behind it, so this is bind-vip by way of keepalived.`;
    return { strategy: 'bind-vip', remarks: [{ at, text }], addresses };
  }
  const unicast = claiming.some((s) => s.instances.some((i) => i.unicast));
  const noProxy = claiming.filter((s) => !withProxy.includes(s));
  const text =
    noProxy.length === 0 ? claim : `${claim}\nhaproxy does not listen on ${endpoint.port} on ${names(noProxy)}.`;
  return {
    strategy: { 'keepalived-haproxy': { vrrp: unicast ? 'unicast' : 'silent', port: endpoint.port } },
    remarks: [{ at, text }],
    addresses,
  };
}

function fromBoundVip(seen: readonly Seen[]): FoundStrategy | undefined {
  const holders = seen.filter((s) => s.holds.length > 0);
  const [held] = holders.flatMap((s) => s.holds);
  if (held === undefined) return undefined;
  const without = seen.filter((s) => s.holds.length === 0);
  const lost =
    without.length === 0 ? '' : `\n${names(without)} without it: each still loses what the balancer sends back to it.`;
  const text = `Found: ${held.address.text} is bound on ${names(holders)} (${held.interface}).${lost}`;
  return { strategy: 'bind-vip', remarks: [{ at: ['spec', 'strategy'], text }], addresses: [] };
}

function nothing(seen: readonly Seen[]): FoundStrategy {
  const text =
    seen.length === 0
      ? 'No master could be looked at.'
      : `Found nothing on ${names(seen)} that helps masters to reach the endpoint. \`hairpin probe\` shows what they lose.`;
  return { strategy: 'auto', remarks: [{ at: ['spec', 'strategy'], text }], addresses: [] };
}

function names(seen: readonly Seen[]): string {
  return seen.length === 0 ? 'nobody' : list(seen.map((s) => s.node.name));
}

function unique(addresses: readonly Address[]): readonly Address[] {
  return [...new Map(addresses.map((a) => [a.text, a])).values()];
}
