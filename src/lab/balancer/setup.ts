import type { Address, Family } from '../../std/address.ts';
import { type BalancerdConfig, familiesOf, idleSeconds, inFamily, probeSource, steeringMark } from './config.ts';

/** What the daemon found in its namespace: the addresses that are there, and the device towards each backend address. */
export interface Found {
  readonly addresses: ReadonlySet<string>;
  readonly deviceTo: ReadonlyMap<string, string>;
}

/** Lines for `ip -batch`, in the order in which they are run. `mayFail` lines take away what a last start left. */
export interface SetupLine {
  readonly family: Family;
  readonly line: string;
  readonly mayFail?: true;
}

/**
 * What is done in the balancer's namespace at each start of the daemon. It can be repeated, and addresses that the
 * topology already put on a device are left where they are.
 */
export function setupLines(config: BalancerdConfig, found: Found): readonly SetupLine[] {
  return [
    ...addressLines(config, found),
    ...frontRoutes(config),
    ...(config.balancer.behaviour === 'local' ? steeringLines(config, found) : []),
  ];
}

/** Kernel settings of the balancer's own namespace, below /proc/sys/net. */
export function setupSysctls(config: BalancerdConfig): readonly (readonly [string, string])[] {
  return [
    ['ipv4/ip_forward', '1'],
    ['ipv6/conf/all/forwarding', '1'],
    // A one-armed balancer sends packets back where they came from and must not tell the client of a shorter way.
    ['ipv4/conf/all/send_redirects', '0'],
    ['ipv4/conf/default/send_redirects', '0'],
    ['ipv4/conf/all/rp_filter', '0'],
    // A flow whose tracking entry was deleted must not be picked up again in mid-stream.
    ...(config.balancer.behaviour === 'local'
      ? []
      : ([
          ['netfilter/nf_conntrack_tcp_loose', '0'],
          ['netfilter/nf_conntrack_tcp_timeout_established', `${idleSeconds(config)}`],
        ] as const)),
  ];
}

/** The device towards the backends, for an address that has to answer ARP and neighbour solicitations there. */
function segmentDevice(config: BalancerdConfig, found: Found): string | undefined {
  const first = config.backends[0]?.addresses[0];
  return config.network === 'segment' && first !== undefined ? found.deviceTo.get(first.text) : undefined;
}

function addressLines(config: BalancerdConfig, found: Found): readonly SetupLine[] {
  const wanted = [
    ...(ownsVip(config) ? config.vips : []),
    ...config.own,
    ...familiesOf(config).flatMap((family) => probeSource(config, family) ?? []),
  ];
  const device = segmentDevice(config, found) ?? 'lo';
  return unique(wanted)
    .filter((a) => !found.addresses.has(a.text))
    .map(({ family, text }) => ({
      family,
      line: `address add ${text}/${family === 4 ? 32 : 128} dev ${device}${family === 6 ? ' nodad' : ''}`,
    }));
}

/** Lets the balancer's own namespace dial the front end: without any route connect() fails before any hook is asked. */
function frontRoutes(config: BalancerdConfig): readonly SetupLine[] {
  if (ownsVip(config)) return [];
  return config.vips.map(({ family, text }) => ({
    family,
    line: `route replace ${text}/${family === 4 ? 32 : 128} dev lo`,
  }));
}

function ownsVip(config: BalancerdConfig): boolean {
  const { behaviour, probeSource: source } = config.balancer;
  return config.network === 'segment' || behaviour === 'proxy' || source === 'vip';
}

/**
 * One routing table per backend. On a segment the front end's address is also this machine's own, and the rule for local
 * addresses comes before all others: it has to move behind the marks.
 */
function steeringLines(config: BalancerdConfig, found: Found): readonly SetupLine[] {
  return familiesOf(config).flatMap((family): readonly SetupLine[] => {
    const backends = config.backends.flatMap((backend, index) => {
      const address = inFamily(backend.addresses, family);
      const device = address === undefined ? undefined : found.deviceTo.get(address.text);
      return address === undefined || device === undefined
        ? []
        : [{ pref: 100 + index, mark: steeringMark(index), via: `via ${address.text} dev ${device} onlink` }];
    });
    const gone = ['rule del pref 0', 'rule del pref 1000', ...backends.map(({ pref }) => `rule del pref ${pref}`)];
    const lines = [
      'rule add pref 1000 lookup local',
      ...backends.flatMap(({ pref, mark, via }) => [
        `rule add pref ${pref} fwmark ${mark} lookup ${mark}`,
        `route replace default ${via} table ${mark}`,
      ]),
    ];
    return [
      ...gone.map((line) => ({ family, line, mayFail: true as const })),
      ...lines.map((line) => ({ family, line })),
    ];
  });
}

function unique(addresses: readonly Address[]): readonly Address[] {
  return [...new Map(addresses.map((a) => [a.text, a])).values()];
}
