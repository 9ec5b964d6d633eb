import type { Address } from '../../std/address.ts';
import type { Topology } from '../topology/topology.ts';

/** A name and what it resolves to, in the order in which it is given out first. */
export interface DnsRecord {
  readonly name: string;
  readonly addresses: readonly Address[];
}

/** What the lab's DNS server knows at first: the endpoint's domain, and every machine by its name. */
export function initialRecords(topology: Topology): readonly DnsRecord[] {
  const { endpoint } = topology.spec;
  return [
    ...(endpoint.domain === undefined ? [] : [{ name: endpoint.domain, addresses: endpoint.addresses }]),
    ...topology.machines.map(({ machine }) => ({ name: machine.name, addresses: machine.addresses })),
  ];
}

/** The file that dnsmasq reads with `addn-hosts`, as /etc/hosts has it. */
export function formatHosts(records: readonly DnsRecord[]): string {
  return records.flatMap(({ name, addresses }) => addresses.map((a) => `${a.text} ${name}\n`)).join('');
}

/** Reads what `formatHosts` wrote; throws `SyntaxError` for anything else. */
export function parseHosts(text: string, parse: (text: string) => Address): readonly DnsRecord[] {
  const records = new Map<string, Address[]>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [address, name, ...rest] = line.split(' ');
    if (address === undefined || name === undefined || rest.length > 0)
      throw new SyntaxError(`Not a hosts line: ${line}`);
    records.set(name, [...(records.get(name) ?? []), parse(address)]);
  }
  return [...records].map(([name, addresses]) => ({ name, addresses }));
}

/**
 * Configuration of a dnsmasq that knows only the lab: no other resolver, no /etc/hosts, nothing cached by clients for
 * longer than a second, so that a changed front end is seen as fast as the shortest TTL in use anywhere.
 */
export function dnsmasqConfig(opts: {
  readonly addresses: readonly Address[];
  readonly hostsFile: string;
  readonly pidFile: string;
}): string {
  return [
    'keep-in-foreground',
    'user=root',
    'no-resolv',
    'no-poll',
    'no-hosts',
    `addn-hosts=${opts.hostsFile}`,
    `pid-file=${opts.pidFile}`,
    'local=//',
    'local=/#/',
    'local-ttl=1',
    'bind-interfaces',
    ...opts.addresses.map((a) => `listen-address=${a.text}`),
    '',
  ].join('\n');
}
